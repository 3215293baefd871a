"""The command line: options, exit codes, one-line errors, and streams of requests. Files are tested in tests/batch."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from fenzhen.batch.score import Summary
from fenzhen.cli import app
from fenzhen.commands import classify as command
from fenzhen.commands.learn import recipe_path
from fenzhen.commands.parts import Parts, assemble
from fenzhen.commands.score import default_rejects, lines_of
from fenzhen.errors import RequestError
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.taxonomy import default
from fenzhen.text.tokenise import Limits
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification
from fenzhen.understanding.model_dir import write_manifest

COMMANDS = (
    *(["serve"], ["classify"], ["score"], ["evaluate"], ["train"], ["audit"], ["release"]),
    *(["model"], ["model", "show"], ["model", "rollback"]),
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("FENZHEN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")


def fenzhen(*args: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command run in this process."""
    done = CliRunner().invoke(app, [str(arg) for arg in args])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def start(*args: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
    command_line = [sys.executable, "-m", "fenzhen.cli", *(str(arg) for arg in args)]
    return subprocess.Popen(
        command_line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # As from a terminal: tests run in the background by a shell would hand down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


# --- options and errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command_name", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command_name: list[str]) -> None:
    code, out, _ = fenzhen(*command_name, "--help")
    assert code == 0
    assert "Usage" in out


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from fenzhen.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([m for m in ('numpy', 'onnxruntime', 'fastapi', 'sqlalchemy', 'torch', 'jieba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["classify"], "give at least one TEXT"),
        (["classify", "--colour", "x"], "No such option"),
        (["score", "a.csv"], "--output"),
        (["score", "none.csv", "--output", "o.csv"], "fenzhen: none.csv: no such file"),
        (["evaluate", "--data", "none.jsonl"], "fenzhen: no data file at none.jsonl"),
        (["train", "--data", "none.jsonl", "--output", "m"], "fenzhen: no data file at none.jsonl"),
        (["classify", "在吗", "--model", "no/where"], "fenzhen: no model folder at no/where"),
        (["classify", "在吗", "--faq", "faq"], "no FAQ folder at faq"),
        (["classify", "在吗", "--policy", "none.yaml"], "fenzhen: no policy file at none.yaml"),
        (["serve", "--host", "0.0.0.0"], "FENZHEN_API_KEYS"),
        (["serve", "--port", "99999"], "fenzhen: --port:"),
        (["evaluate", "--data", __file__, "--json", "."], "fenzhen: --json .: found a folder"),
        (["frobnicate"], "No such command"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = fenzhen(*args)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in out + err
    if err.startswith("fenzhen:"):
        assert err.count("\n") == 1


def test_unknown_variable_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_POLICEY", "x")
    code, _, err = fenzhen("classify", "在吗")
    assert code == 2
    assert "nearest known: FENZHEN_POLICY" in err


def test_port_in_use_is_said_before_a_model_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = fenzhen("serve", "--port", str(port), "--model", "no/where")
    assert code == 2
    assert f"can't listen on 127.0.0.1 port {port}" in err


def test_recipes_by_name_and_by_path(tmp_path: Path) -> None:
    assert recipe_path("tiny").name == "tiny.toml"
    (tmp_path / "mine.toml").write_text("")
    assert recipe_path(str(tmp_path / "mine.toml")) == tmp_path / "mine.toml"
    for wrong, says in (("tyni", "nearest known: .*tiny"), ("gone.toml", "no recipe at gone.toml")):
        with pytest.raises(RequestError, match=says):
            recipe_path(wrong)


# --- model show -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder that is sound as far as its hashes go; its graph is none."""
    path = tmp_path / "toy-1"
    path.mkdir()
    for name in ("model.onnx", "tokenizer.json", "baseline.npz"):
        (path / name).write_bytes(name.encode())
    (path / "labels.json").write_text(json.dumps(default().to_dict()), encoding="utf-8")
    Calibration().save(path / "calibration.json")
    (path / "report.json").write_text(json.dumps({"topic": {"macro_f1": 0.81234, "per_class": {"x": 0.5}}}))
    sources = [{"name": "written", "licence": "Apache-2.0", "rows": 12, "sha256": "ab" * 32}]
    write_manifest(path, name="toy-1", limits=Limits(), sources=sources)
    return path


def test_model_show(folder: Path) -> None:
    code, out, _ = fenzhen("model", "show", folder)
    assert code == 0
    for part in (
        "toy-1",
        "model.onnx",
        "一致",
        "34 个主题",
        "物流跟踪",
        "written",
        "Apache-2.0",
        "topic.macro_f1  0.8123",
    ):
        assert part in out
    assert "per_class" not in out


def test_model_show_names_what_was_changed(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"other")
    (folder / "tokenizer.json").unlink()
    code, out, err = fenzhen("model", "show", folder)
    assert code == 1
    assert "被改动" in out and "缺失" in out
    assert "model.onnx was changed" in err and "tokenizer.json is missing" in err


def test_altered_model_serves_nobody(folder: Path) -> None:
    (folder / "calibration.json").write_text("{}")
    code, out, err = fenzhen("classify", "在吗", "--model", folder)
    assert (code, out) == (1, "")
    assert err.startswith("fenzhen: ") and "calibration.json was changed" in err


# --- classify, around a fixed classifier ----------------------------------------------------------------------------


def by_text(message: Message) -> Classification:
    return fixed_classification("human" if "人工" in message.text else "logistics.track", emotion="angry")


class Store:
    def __init__(self, *, works: bool) -> None:
        self.works = works
        self.ids: list[str] = []

    def record(self, rows: Sequence[tuple[str, Decision]]) -> bool:
        self.ids += [name for name, _ in rows]
        return self.works


def parts(store: Store | None = None) -> Parts:
    return assemble(FixedClassifier(by_text), Policies.load(), default(), store)


def test_stream_answers_every_line_in_place() -> None:
    lines = [
        '{"text": "转人工"}',
        "not json",
        '{"text": "  "}',
        "",
        '{"text": "到哪了", "shop": "\\ud800", "history": [{"role": "buyer", "text": "在吗"}]}',
        '{"text": "到哪了", "shpo": "x"}',
        '["text"]',
        '{"text": "' + "长" * 100_000 + '"}',
    ]
    content = "\n".join(lines).encode() + b'\n{"text": "\xff"}\n{"text": "last"}'
    out = io.BytesIO()
    assert command.classify_lines(io.BytesIO(content), parts(), out)
    answers = [json.loads(line) for line in out.getvalue().decode("utf-8").splitlines()]
    assert [a.get("topic", "error") for a in answers] == [
        "human", "error", "error", "error", "logistics.track", "error", "error", "error", "error", "logistics.track",
    ]  # fmt: skip
    assert answers[5]["error"]["field"] == "shpo"
    assert "not JSON" in answers[1]["error"]["message"]
    assert "over 262,144 bytes" in answers[7]["error"]["message"]
    assert "not UTF-8" in answers[8]["error"]["message"]
    assert answers[0]["recorded"] is False


def test_stream_answers_before_the_next_line_comes() -> None:
    class Pipe(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            seen.append(out.getvalue().count(b"\n"))
            return super().readline(-1 if size is None else size)

    out, seen = io.BytesIO(), list[int]()
    command.classify_lines(Pipe(b'{"text": "a"}\n{"text": "b"}\n'), parts(), out)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("works", [True, False])
def test_stream_records_under_the_ids_it_prints(works: bool) -> None:
    store, out = Store(works=works), io.BytesIO()
    assert command.classify_lines(io.BytesIO(b'{"text": "a"}\nbad\n{"text": "b"}'), parts(store), out) is works
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [a["id"] for a in answers if "id" in a] == store.ids
    assert [a["recorded"] for a in answers if "id" in a] == [works, works]


def test_table_is_in_chinese_and_can_not_drive_the_terminal() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    assert command.classify_texts(["我要人工[red]", "快递\x1b[2J到哪了"], parts(), console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("文本", "需人工", "置信度", "去向", "我要人工[red]", "转人工", "愤怒", "90%", "快递 [2J到哪了"):
        assert part in shown


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["在吗", " "], "text 2: text is empty"),
        (["在吗", os.fsdecode("退款".encode("gbk"))], "text 2: not UTF-8"),
        (["长" * 10_001], "text has 10,001 characters"),
    ],
)
def test_a_bad_text_is_refused_by_its_number(texts: list[str], says: str) -> None:
    with pytest.raises(RequestError, match=f"^{says}"):
        command.classify_texts(texts, parts(), Console(file=io.StringIO()))
    with pytest.raises(RequestError, match=f"^{says}"):
        command.answer_texts(texts, parts(), io.BytesIO())


# --- score ----------------------------------------------------------------------------------------------------------


def test_summary_is_in_chinese_and_names_every_oddity() -> None:
    summary = Summary(
        rows=1_200, scored=1_000, passed=190, rejected=10,
        actions={"bot": 250, "faq": 0, "self_service": 250, "handoff": 500},
        failed=1, unrecorded=2, naive_times=3, missing_times=4, out_of_order=5, seconds=2.0,
    )  # fmt: skip
    text = "\n".join(lines_of(summary, Path("o.csv"), Path("o.rejects.csv")))
    for part in ("1,200 行", "退回 10 行(原因见 o.rejects.csv)", "转人工 500(50%)", "每秒 600 行", "5 行早于同一会话"):
        assert part in text
    assert text.count("注意") == 5


def test_rejects_lie_beside_the_output() -> None:
    names = [default_rejects(Path("a") / name).as_posix() for name in ("o.csv", "o.jsonl", "o.parquet")]
    assert names == ["a/o.rejects.csv", "a/o.rejects.jsonl", "a/o.rejects.csv"]


# --- with the shipped model -----------------------------------------------------------------------------------------


def test_shipped_model_classifies_texts(shipped_model: Path) -> None:
    code, out, _ = fenzhen("classify", "转人工客服", "快递到哪里了", "--model", shipped_model)
    assert code == 0
    assert "转人工客服" in out and "物流跟踪" in out


def test_a_store_that_can_not_work_is_bad_usage(shipped_model: Path) -> None:
    code, out, err = fenzhen("classify", "在吗", "--model", shipped_model, "--store", "mysql://host/name")
    assert (code, out) == (2, "")
    assert err.startswith("fenzhen: store URL names mysql; expected sqlite:///")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_store_that_can_not_work_stops_the_start(shipped_model: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    args = (
        "serve",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--model",
        shipped_model,
        "--store",
        "mysql://host/name",
    )
    with start(*args) as server:
        out, err = server.communicate(timeout=60)
    assert (server.returncode, out) == (2, b"")
    assert err.decode().splitlines()[-1].startswith("fenzhen: store URL names mysql")


def test_output_that_is_a_folder_is_refused_in_one_line(shipped_model: Path, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("text\n在吗\n", encoding="utf-8")
    code, _, err = fenzhen("score", tmp_path / "log.csv", "--output", ".", "--model", shipped_model)
    assert (code, err) == (2, "fenzhen: .: expected a file name in a folder that exists\n")


def test_a_terminal_without_chinese_gets_question_marks(shipped_model: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with start("classify", "在吗", "--model", shipped_model, env=environment) as run:
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, b"")
    assert b"?" in out


def test_closed_standard_input_is_bad_usage(shipped_model: Path) -> None:
    shell = f"exec {sys.executable} -m fenzhen.cli classify --json --model {shipped_model} <&-"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("fenzhen: --json needs standard input")


def test_shipped_model_answers_a_stream_and_records_it(shipped_model: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'review.db'}"
    with start(
        "classify", "--json", "--model", shipped_model, "--store", store, stdin=subprocess.PIPE, cwd=tmp_path
    ) as run:
        out, err = run.communicate('{"text": "转人工"}\nbad\n{"text": "多少钱"}\n'.encode(), timeout=60)
    assert (run.returncode, err) == (0, b"")
    first, bad, last = (json.loads(line) for line in out.splitlines())
    assert (first["topic"], first["recorded"], last["recorded"]) == ("human", True, True)
    assert bad["error"]["kind"] == "bad_request"
    assert (tmp_path / "review.db").stat().st_size > 0


def test_nothing_is_recorded_without_store(
    shipped_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FENZHEN_STORE", f"sqlite:///{tmp_path / 'review.db'}")
    code, out, _ = fenzhen("classify", "在吗", "--json", "--model", shipped_model)
    assert (code, json.loads(out)["recorded"]) == (0, False)
    assert list(tmp_path.iterdir()) == []


def test_shipped_model_scores_a_file(shipped_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "session,sent_at,role,text\n1,2026-11-11 20:00:00,buyer,在吗\n1,2026-11-11 20:00:09,agent,在的\n"
        "1,2026-11-11 20:01:00,buyer,\n1,2026-11-11 20:02:00,buyer,转人工\n",
        encoding="utf-8",
    )
    code, out, err = fenzhen("score", log, "--output", tmp_path / "scored.jsonl", "--model", shipped_model)
    assert (code, err) == (0, "")
    assert "分诊 2 行" in out and "退回 1 行" in out and "4 行时间没有时区" in out
    rows = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == ["在吗", "在的", "转人工"]
    assert rows[2]["topic"] == "human" and rows[1]["topic"] is None
    assert json.loads((tmp_path / "scored.rejects.jsonl").read_text(encoding="utf-8"))["line"] == 4


def test_rejects_file_is_there_when_named_or_needed(shipped_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"text": "在吗"}\n', encoding="utf-8")
    args = ("score", log, "--output", tmp_path / "scored.csv", "--model", shipped_model)
    assert fenzhen(*args)[0] == 0
    assert {p.name for p in tmp_path.iterdir()} == {"log.jsonl", "scored.csv"}
    assert fenzhen(*args, "--rejects", tmp_path / "bad.csv")[0] == 0
    assert (tmp_path / "bad.csv").read_text() == "line,reason,row\n"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_score_leaves_nothing(shipped_model: Path, tmp_path: Path, kind: signal.Signals) -> None:
    log = tmp_path / "log.csv"
    log.write_text("text\n" + "在吗\n" * 50_000, encoding="utf-8")
    with start("score", log, "--output", tmp_path / "scored.csv", "--model", shipped_model, cwd=tmp_path) as run:
        while not list(tmp_path.glob(".scored.csv.*.part")):
            assert run.poll() is None, "ended before it was interrupted"
            time.sleep(0.05)
        run.send_signal(kind)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 128 + kind
    assert b"Traceback" not in err
    assert {p.name for p in tmp_path.iterdir()} == {"log.csv"}


def test_examples_are_routed_under_a_policy(shipped_model: Path, tmp_path: Path) -> None:
    data = tmp_path / "gold.jsonl"
    data.write_text('{"text": "转人工", "topic": "human"}\n{"text": "在吗"}\n', encoding="utf-8")
    code, out, err = fenzhen(
        "evaluate", "--data", data, "--model", shipped_model, "--store", f"sqlite:///{tmp_path / 'review.db'}"
    )
    assert code == 0, err
    assert "去向" in out and "转人工 1" in out
    assert (tmp_path / "review.db").exists()


def test_shipped_model_folder_is_sound(shipped_model: Path) -> None:
    code, out, err = fenzhen("model", "show", shipped_model)
    assert (code, err) == (0, "")
    assert "被改动" not in out


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_answers_and_stops(shipped_model: Path, tmp_path: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    args = ("serve", "--port", str(port), "--workers", str(workers), "--model", shipped_model)
    with start(*args, cwd=tmp_path) as server:
        try:
            body = json.dumps({"text": "转人工"}).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/classify", body, {"Content-Type": "application/json"}
            )
            answer = json.loads(_when_up(request, server))
        finally:
            server.send_signal(signal.SIGTERM)
            out, _ = server.communicate(timeout=60)
    assert answer["topic"] == "human"
    assert answer["recorded"] is True
    assert f"http://127.0.0.1:{port}" in out.decode()
    assert (tmp_path / "fenzhen.db").exists()


def _when_up(request: urllib.request.Request, server: "subprocess.Popen[bytes]") -> bytes:
    for _ in range(300):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                content: bytes = response.read()
                return content
        except ConnectionError:
            pass
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
        assert server.poll() is None, "the server ended"
        time.sleep(0.1)
    raise AssertionError("the server did not answer within 30 seconds")
