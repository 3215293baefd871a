"""The check sets: well-formed, of the stated size, apart from the rest of `data/`; and the reader's arithmetic."""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fenzhen.learning.examples import fingerprint
from fenzhen.message import Message
from fenzhen.taxonomy import default, intent_of

PROJECT = Path(__file__).resolve().parents[1]
CHECKS = PROJECT / "data" / "checks"
FIELDS = {
    "abuse": {"text", "topic", "kind"},
    "out_of_scope": {"text", "kind"},
    "in_scope": {"text", "topic"},
}
ABUSE = {"plain", "inside-request", "evasion", "dialect", "threat", "harassment", "long"}
HARMLESS = {"lookalike", "angry", "everyday"}


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@pytest.mark.parametrize("name", FIELDS)
def test_rows_are_well_formed(name: str) -> None:
    for row in rows_of(CHECKS / f"{name}.jsonl"):
        assert FIELDS[name] <= set(row) <= FIELDS[name] | {"history"}
        assert row["text"] == row["text"].strip()
        message = Message.from_dict({key: row[key] for key in ("text", "history") if key in row})
        assert message.text
        if "topic" in row:
            default().topic_index(row["topic"])


def test_kinds_fit_their_topics() -> None:
    rows = rows_of(CHECKS / "abuse.jsonl")
    assert {row["kind"] for row in rows} == ABUSE | HARMLESS
    for row in rows:
        assert (row["topic"] == "abuse") == (row["kind"] in ABUSE), row
    outside = rows_of(CHECKS / "out_of_scope.jsonl")
    assert all(3 <= len(row["text"]) <= 30 for row in outside)
    assert len({row["kind"] for row in outside}) >= 15
    inside = {row["topic"] for row in rows_of(CHECKS / "in_scope.jsonl")}
    assert not inside & {"abuse", "other.unclear"}
    assert len({intent_of(topic) for topic in inside}) >= 5


def test_counts_are_those_of_the_readme() -> None:
    readme = (CHECKS / "README.md").read_text(encoding="utf-8")
    for name in FIELDS:
        assert f"| `{name}.jsonl` | {len(rows_of(CHECKS / f'{name}.jsonl'))} |" in readme
    rows = rows_of(CHECKS / "abuse.jsonl")
    for kind, count in Counter(row["kind"] for row in rows).items():
        assert f"| `{kind}` | {count} |" in readme
    abuse = sum(row["topic"] == "abuse" for row in rows)
    assert f"{abuse} messages that insult" in readme and f"and {len(rows) - abuse} that do not" in readme
    assert abuse >= 320 and len(rows) - abuse >= 480


def test_no_text_occurs_twice_or_in_other_data() -> None:
    seen: dict[str, str] = {}
    for name in FIELDS:
        for row in rows_of(CHECKS / f"{name}.jsonl"):
            key = fingerprint(row["text"])
            assert key not in seen, f"{row['text']} in {name} is the same text as {seen[key]}"
            seen[key] = row["text"]
    others = [path for path in sorted((PROJECT / "data").rglob("*.jsonl")) if path.parent != CHECKS]
    assert others
    for path in others:
        for row in rows_of(path):
            if "text" in row:
                found = seen.get(fingerprint(row["text"]))
                assert found is None, f"alter {found} in data/checks: {path.name} has it"


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_checks", PROJECT / "benchmarks" / "checks.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_threshold_keeps_false_alarms_within_their_share(reader: ModuleType) -> None:
    scores = np.arange(400) / 400
    threshold = reader.threshold_for(scores, 0.005)
    assert (scores >= threshold).sum() == 2
    assert (np.full(400, 0.7) >= reader.threshold_for(np.full(400, 0.7), 0.005)).sum() == 0


def test_shares_count_recall_and_false_alarms_per_kind(reader: ModuleType) -> None:
    truth, flagged = np.array([True, True, False, False]), np.array([True, False, True, False])
    found = reader.shares(truth, flagged, np.array(["plain", "long", "angry", "angry"]))
    assert found["recall"] == 0.5 and found["recall_per_kind"] == {"plain": 1.0, "long": 0.0}
    assert found["false_alarms"] == 1 and found["false_alarm_share_per_kind"] == {"angry": 0.5}


def test_the_reader_reads_every_row(reader: ModuleType) -> None:
    for name in FIELDS:
        assert len(reader.read(name)) == len(rows_of(CHECKS / f"{name}.jsonl"))
