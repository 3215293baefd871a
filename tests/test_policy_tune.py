"""`fenzhen policy tune` with the shipped model: what it writes, what it refuses, and that nothing else changes."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.commands.policy import with_thresholds
from fenzhen.defaults import default_file
from fenzhen.errors import PolicyError
from fenzhen.routing.policy import Policy

WRITTEN = Path(__file__).resolve().parents[1] / "data" / "written"
TUNE = ["policy", "tune", "--max-missed-urgent"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """900 written messages, some 300 of them urgent."""
    rows: dict[bool, list[str]] = {True: [], False: []}
    for file in sorted(WRITTEN.glob("[a-m]*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines()[:60]:
            rows[bool(json.loads(line)["needs_human"])].append(line)
    out = tmp_path_factory.mktemp("tune") / "data.jsonl"
    out.write_text("\n".join([*rows[True][:300], *rows[False][:600]]) + "\n", encoding="utf-8")
    return out


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A copy of the shipped policy that may be changed."""
    return Path(shutil.copy(default_file("policy.yaml"), tmp_path / "policy.yaml"))


def test_thresholds_are_written_and_nothing_else(policy: Path, data: Path, shipped_model: Path) -> None:
    before = policy.read_text(encoding="utf-8")
    options = ["--data", str(data), "--policy", str(policy), "--model", str(shipped_model)]
    ran = CliRunner().invoke(app, [*TUNE, "0.05", "--max-handoff", "0.98", *options])
    assert ran.exit_code == 0, ran.output
    assert "漏转不超过 50 条" in ran.stdout and "预计转人工占比" in ran.stdout
    after = policy.read_text(encoding="utf-8")
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    assert old.pop("thresholds") != new.pop("thresholds") and old == new
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [line for line in after.splitlines() if line.startswith("#")] == comments
    made = Policy.load(policy)
    assert made.thresholds.in_scope == 0.5 and made.thresholds.of_topic("abuse") == 0.25
    # Said again, it starts from what it wrote and finds the same file format.
    again = CliRunner().invoke(app, [*TUNE, "0.05", "--max-handoff", "0.98", *options])
    assert again.exit_code == 0 and policy.read_text(encoding="utf-8").count("thresholds:") == 1


def test_limits_that_cant_both_hold_are_said_and_write_nothing(policy: Path, data: Path, shipped_model: Path) -> None:
    before = policy.read_text(encoding="utf-8")
    options = ["--data", str(data), "--policy", str(policy), "--model", str(shipped_model)]
    ran = CliRunner().invoke(app, [*TUNE, "0.02", "--max-handoff", "0.05", *options])
    assert ran.exit_code == 1
    assert "两个上限不能同时满足" in ran.stdout and "没有写入" in ran.stdout
    assert policy.read_text(encoding="utf-8") == before


def test_the_shipped_policy_is_shown_not_changed(data: Path, shipped_model: Path) -> None:
    before = default_file("policy.yaml").read_text(encoding="utf-8")
    options = ["--data", str(data), "--model", str(shipped_model)]
    ran = CliRunner().invoke(app, [*TUNE, "0.05", "--max-handoff", "0.98", *options])
    assert ran.exit_code == 0 and "needs_human:" in ran.stdout and "未写入" in ran.stdout
    assert default_file("policy.yaml").read_text(encoding="utf-8") == before


def test_too_few_urgent_messages_are_refused(tmp_path: Path, data: Path, shipped_model: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(data.read_text(encoding="utf-8").splitlines()[:150]) + "\n", encoding="utf-8")
    options = ["--data", str(few), "--model", str(shipped_model)]
    ran = CliRunner().invoke(app, [*TUNE, "0.05", "--max-handoff", "0.5", *options])
    assert ran.exit_code == 2 and "expected 100 or more" in ran.stderr
    strict = CliRunner().invoke(app, [*TUNE, "0.001", "--max-handoff", "0.5", "--data", str(data)])
    assert strict.exit_code == 2 and "expected 999 or more" in strict.stderr
    wrong = CliRunner().invoke(app, [*TUNE, "1", "--max-handoff", "0.5", *options])
    assert wrong.exit_code == 2 and "--max-missed-urgent: found 1" in wrong.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nthresholds:\n  topic: 0.1\n  # why\n\n  per_topic: {x: 1}\n\nrules: []\n", "a: 1\nNEW\n\nrules: []\n"),
        ("a: 1\nthresholds: {topic: 0.1}\nrules: []\n", "a: 1\nNEW\nrules: []\n"),
        ("thresholds:\n  topic: 0.1\n\n# of the rules\nrules: []\n", "NEW\n\n# of the rules\nrules: []\n"),
        ("a: 1\nrules: []\n", "a: 1\nNEW\n\nrules: []\n"),
    ],
)
def test_only_the_block_is_replaced(text: str, expected: str) -> None:
    assert with_thresholds(text, "NEW\n") == expected


def test_a_file_without_rules_is_no_policy() -> None:
    with pytest.raises(PolicyError, match="top-level `rules`"):
        with_thresholds("a: 1\n", "NEW\n")
