"""Scoring a file: order, columns, formats, rejects, atomic files, and the same answers as one message at a time."""

import csv
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fenzhen.answer import answer, flat
from fenzhen.batch.read import open_source
from fenzhen.batch.score import ANSWER_COLUMNS, Summary, score
from fenzhen.errors import DataError, FenzhenError
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

ROWS: list[dict[str, Any]] = [
    {"session": "1", "sent_at": "2026-11-11T20:00:00+08:00", "role": "buyer", "text": "在吗", "note": "甲"},
    {"session": "1", "sent_at": "2026-11-11T20:00:05+08:00", "role": "bot", "text": "在的", "note": ""},
    {"session": "2", "sent_at": "2026-11-11T20:00:09+08:00", "role": "buyer", "text": "多少钱,\n包邮吗", "note": '"'},
    {"session": "2", "sent_at": "2026-11-11T20:00:10+08:00", "role": "buyer", "text": " ", "note": "空"},
    {"session": "2", "sent_at": "someday", "role": "buyer", "text": "坏时间", "note": ""},
    {"session": "1", "sent_at": "2026-11-11T20:00:20+08:00", "role": "buyer", "text": "叫人来", "note": "乙"},
    {"session": "1", "sent_at": "2026-11-11T20:00:21+08:00", "role": "robot", "text": "谁", "note": ""},
    {"session": "1", "sent_at": "2026-11-11T20:00:22+08:00", "role": "agent", "text": "我来了", "note": ""},
]
KEPT = [0, 1, 2, 5, 7]


def by_text(message: Message) -> Classification:
    """Reads the topic off the text, and how much history it saw off needs_human."""
    topic = {"在吗": "chitchat.greeting", "叫人来": "human"}.get(message.text, "presale.price")
    return fixed_classification(topic, needs_human=len(message.history) / 100)


@pytest.fixture(scope="module")
def triage() -> Triage:
    return Triage(FixedClassifier(by_text), Policies.load())


def write(path: Path, rows: Sequence[dict[str, Any]] = ROWS) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def run(source: Path, output: Path, triage: Any, **options: Any) -> Summary:
    return score(open_source(source), output, output.with_suffix(".rejects.csv"), triage, **options)


@pytest.mark.parametrize("before", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("after", ["csv", "jsonl", "parquet"])
def test_every_format_into_every_format(tmp_path: Path, triage: Triage, before: str, after: str) -> None:
    output = tmp_path / f"out.{after}"
    summary = run(write(tmp_path / f"in.{before}"), output, triage, chunk=3)
    assert (summary.rows, summary.scored, summary.passed, summary.rejected) == (8, 3, 2, 3)
    assert sum(summary.actions.values()) == 3
    rows = read(output)
    assert list(rows[0]) == [*ROWS[0], *ANSWER_COLUMNS]
    assert [{name: row[name] for name in ROWS[0]} for row in rows] == [ROWS[n] for n in KEPT]
    empty = "" if after == "csv" else None
    assert [row["topic"] or None for row in rows] == ["chitchat.greeting", None, "presale.price", "human", None]
    assert all(rows[1][name] == empty for name in ANSWER_COLUMNS)
    assert [float(row["needs_human"]) for row in rows if row["topic"]] == [0.0, 0.0, 0.02]
    assert rows[3]["route_action"] == "handoff"
    assert "人工" in rows[3]["route_reasons"]


def test_rejects_say_line_and_reason(tmp_path: Path, triage: Triage) -> None:
    source = write(tmp_path / "in.csv")
    run(source, tmp_path / "out.csv", triage)
    rejects = read(tmp_path / "out.rejects.csv")
    # The newline in the text of row 3 shifts the lines below by one.
    assert [row["line"] for row in rejects] == ["6", "7", "9"]
    assert "text is empty" in rejects[0]["reason"]
    assert "sent_at" in rejects[1]["reason"]
    assert "robot" in rejects[2]["reason"]
    assert json.loads(rejects[0]["row"]) == ROWS[3]


def test_answers_equal_those_of_single_messages(tmp_path: Path, triage: Triage) -> None:
    run(write(tmp_path / "in.jsonl"), tmp_path / "out.jsonl", triage)
    [row] = [row for row in read(tmp_path / "out.jsonl") if row["text"] == "叫人来"]
    history = [{"role": ROWS[n]["role"], "text": ROWS[n]["text"], "at": ROWS[n]["sent_at"]} for n in (0, 1)]
    request = {"session": "1", "sent_at": ROWS[5]["sent_at"], "text": "叫人来", "history": history}
    [decision] = triage([Message.from_dict(request)])
    alone = flat(answer("x", decision, recorded=False))
    assert {k: row[k] for k in alone if k not in ("id", "took_ms")} == {
        k: v for k, v in alone.items() if k not in ("id", "took_ms")
    }


def test_answer_columns_cover_an_answer_with_every_part(triage: Triage) -> None:
    [decision] = triage([Message(text="在吗")])
    full = replace(decision, route=replace(decision.route, group="g", answer="a", flow="f", note="n", tags=("t",)))
    assert list(flat(answer("x", full, recorded=True))) == list(ANSWER_COLUMNS)


def test_prefix_and_columns_that_clash(tmp_path: Path, triage: Triage) -> None:
    source = write(tmp_path / "in.csv", [{"id": "7", "text": "在吗", "topic": "mine"}])
    with pytest.raises(DataError, match="already has id, topic, .*--prefix"):
        run(source, tmp_path / "out.csv", triage)
    assert not (tmp_path / "out.csv").exists()
    run(source, tmp_path / "out.csv", triage, prefix="fz_")
    [row] = read(tmp_path / "out.csv")
    assert (row["id"], row["topic"], row["fz_topic"]) == ("7", "mine", "chitchat.greeting")


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig"])
def test_files_for_excel_come_out_with_a_bom(tmp_path: Path, triage: Triage, encoding: str) -> None:
    (tmp_path / "in.csv").write_bytes("text,备注\n在吗,急\n".encode(encoding))
    run(tmp_path / "in.csv", tmp_path / "out.csv", triage)
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").startswith("text,备注,id,")


def test_numbers_keep_their_digits_in_parquet(tmp_path: Path, triage: Triage) -> None:
    rows = [{"text": "在吗", "order": 2**60, "n": 3, "f": 1}, {"text": "在吗", "order": 5, "n": None, "f": 0.5}]
    run(write(tmp_path / "in.jsonl", rows), tmp_path / "out.parquet", triage)
    found = read(tmp_path / "out.parquet")
    assert [(r["order"], r["n"], r["f"]) for r in found] == [(str(2**60), 3, 1.0), ("5", None, 0.5)]


def test_parquet_is_written_in_row_groups(tmp_path: Path, triage: Triage) -> None:
    source = write(tmp_path / "in.parquet", [{"text": "在吗"}] * 9_000)
    [decision] = triage([Message(text="在吗")])
    run(source, tmp_path / "out.parquet", lambda messages: [decision] * len(messages))
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups == 2
    assert len(read(tmp_path / "out.parquet")) == 9_000


def test_paths_that_clash_are_refused(tmp_path: Path, triage: Triage) -> None:
    source = write(tmp_path / "in.csv")
    content = source.read_bytes()
    (tmp_path / "link.csv").symlink_to(source)
    for output in (source, tmp_path / "link.csv", tmp_path / "." / "in.csv"):
        with pytest.raises(DataError, match="the same file"):
            run(source, output, triage)
    with pytest.raises(DataError, match="the same file"):
        score(open_source(source), tmp_path / "o.csv", tmp_path / "o.csv", triage)
    for output, says in ((tmp_path / "none" / "o.csv", "folder that exists"), (tmp_path / "o.xlsx", "suffix")):
        with pytest.raises(DataError, match=says):
            run(source, output, triage)
    with pytest.raises(DataError, match="for rejects"):
        score(open_source(source), tmp_path / "o.csv", tmp_path / "r.parquet", triage)
    assert source.read_bytes() == content
    assert {p.name for p in tmp_path.iterdir()} == {"in.csv", "link.csv"}


class Broken(FenzhenError):
    pass


def test_a_run_that_fails_leaves_the_old_output(tmp_path: Path, triage: Triage) -> None:
    def fails(messages: Sequence[Message]) -> list[Decision]:
        if any(message.text == "叫人来" for message in messages):
            raise Broken("half way")
        return triage(messages)

    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(Broken):
        run(write(tmp_path / "in.csv"), tmp_path / "out.csv", fails, chunk=2)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"in.csv", "out.csv"}


def test_a_killed_run_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [{"text": "在吗"}] * 2_000)
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from fenzhen.batch.read import open_source
        from fenzhen.batch.score import score
        from fenzhen.routing.policies import Policies
        from fenzhen.triage import Triage
        from fenzhen.understanding.classification import FixedClassifier

        def kill(rows, done):
            if rows > 1_000:
                os.kill(os.getpid(), signal.SIGKILL)

        folder = Path(sys.argv[1])
        score(open_source(folder / "in.csv"), folder / "out.csv", folder / "out.rejects.csv",
              Triage(FixedClassifier(), Policies.load()), report=kill)
    """)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert source.exists()
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "out.rejects.csv").exists()


class Store:
    """Keeps what it is given, or refuses."""

    def __init__(self, *, works: bool) -> None:
        self.works = works
        self.rows: list[tuple[str, Decision]] = []

    def record(self, rows: Sequence[tuple[str, Decision]]) -> bool:
        self.rows += rows
        return self.works


@pytest.mark.parametrize("works", [True, False])
def test_decisions_are_recorded_under_the_ids_of_the_output(tmp_path: Path, triage: Triage, works: bool) -> None:
    store = Store(works=works)
    summary = run(write(tmp_path / "in.jsonl"), tmp_path / "out.jsonl", triage, store=store)
    rows = [row for row in read(tmp_path / "out.jsonl") if row["topic"]]
    assert [(row["id"], row["text"]) for row in rows] == [(name, d.message.text) for name, d in store.rows]
    assert [row["recorded"] for row in rows] == [works] * 3
    assert summary.unrecorded == (0 if works else 3)


def test_rows_that_the_model_failed_on_are_counted(tmp_path: Path) -> None:
    def fails(message: Message) -> Classification:
        raise RuntimeError("no model today")

    triage = Triage(FixedClassifier(fails), Policies.load())
    summary = run(write(tmp_path / "in.csv"), tmp_path / "out.csv", triage)
    assert summary.failed == 3
    assert summary.actions["handoff"] == 3


def test_memory_does_not_grow_with_the_file(tmp_path: Path, triage: Triage) -> None:
    [decision] = triage([Message(text="在吗")])
    with (tmp_path / "in.csv").open("w", encoding="utf-8") as file:
        file.write("session,text,pad\n")
        file.writelines(f"s{n % 99},在吗{n},{'x' * 4_000}\n" for n in range(12_000))
    resident = []

    def report(rows: int, done: int) -> None:
        resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)

    run(tmp_path / "in.csv", tmp_path / "out.csv", lambda messages: [decision] * len(messages), report=report)
    # The rows between the third report and the last are 40 MB of text.
    assert len(resident) == 24
    assert max(resident) - resident[2] < 10, resident
