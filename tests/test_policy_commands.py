"""`fenzhen policy check` and `fenzhen policy simulate` as their users run them: tables, JSON, exit codes, errors."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.defaults import default_file

PROJECT = Path(__file__).resolve().parents[1]
CHATS = PROJECT / "data" / "samples" / "chats.csv"
SCENARIOS = PROJECT / "data" / "scenarios"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(default_file("policy.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def change(policy: Path, old: str, new: str, name: str = "new.yaml") -> Path:
    text = policy.read_text(encoding="utf-8")
    assert old in text
    path = policy.with_name(name)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_shipped_policy_shops_and_scenarios_are_sound() -> None:
    code, out, _ = run("policy", "check", "--policy", PROJECT / "serving" / "policy.yaml", "--scenarios", SCENARIOS)
    assert code == 0 and "3 家店铺的覆盖:0 个错误" in out and ",0 处不符" in out


def test_a_fault_is_exit_1_and_said_in_chinese(policy: Path) -> None:
    new = change(policy, "  - id: abuse\n", "  - id: abuse\n    off: true\n")
    code, out, _ = run("policy", "check", "--policy", new)
    assert code == 1 and "没有安全规则管「辱骂骚扰」" in out
    code, out, _ = run("policy", "check", "--policy", new, "--json")
    [finding] = [one for one in json.loads(out)["findings"] if one["fault"]]
    assert code == 1 and (finding["kind"], finding["about"]) == ("no_safety_rule", "abuse")


def test_a_shop_is_checked_by_itself(policy: Path) -> None:
    (policy.parent / "shops").mkdir()
    keep = "{id: keep, when: {topic: [logistics.track], above_threshold: topic}, then: {action: bot}, reason: 答, after: abuse}"
    (policy.parent / "shops" / "s.yaml").write_text(f"rules: [{keep}]\n", encoding="utf-8")
    code, out, _ = run("policy", "check", "--policy", policy)
    assert code == 1 and "[s]" in out and "愤怒的买家可能先被规则 keep 留给机器人" in out


def test_a_broken_scenario_is_exit_1(policy: Path, tmp_path: Path) -> None:
    case = tmp_path / "mine.yaml"
    case.write_text("- {name: 查件, message: {text: 到哪了}, said: {topic: logistics.track}, route: {action: bot}}\n")
    code, out, _ = run("policy", "check", "--policy", policy, "--scenarios", case)
    assert code == 1 and "expected action 'bot', found 'self_service'" in out


def test_a_file_that_cant_be_loaded_is_exit_2(policy: Path, tmp_path: Path) -> None:
    code, _, err = run(
        "policy", "check", "--policy", change(policy, "action: self_service, flow: invoice", "action: x")
    )
    assert code == 2 and "rule invoice, key then.action" in err and ", line " in err
    code, _, err = run("policy", "check", "--policy", policy, "--scenarios", tmp_path / "none.yaml")
    assert code == 2 and "none.yaml: can't read it" in err


def test_simulate_says_what_changes_by_rule_topic_and_hour(policy: Path) -> None:
    new = change(
        policy,
        "{topic: [logistics.track]}\n    then: {action: self_service, flow: track_parcel}",
        "{topic: [logistics.track]}\n    then: {action: handoff, group: logistics}",
    )
    code, out, _ = run("policy", "simulate", policy, new, "--logs", CHATS)
    assert code == 0 and "16 条消息" in out
    code, out, _ = run("policy", "simulate", policy, policy, "--logs", CHATS, "--json")
    said = json.loads(out)
    assert code == 0 and said["messages"] == 16 and said["changed"] == 0
    assert {load["group"] for load in said["loads"]} >= {"expert", "aftersale"}


def test_a_safety_regression_is_exit_1_and_comes_first(policy: Path) -> None:
    new = change(policy, "  - id: threat\n", "  - id: threat\n    off: true\n")
    text = new.read_text(encoding="utf-8").replace("complaint.service, complaint.product", "complaint.*")
    new.write_text(text, encoding="utf-8")
    code, out, _ = run("policy", "simulate", policy, new, "--logs", CHATS)
    assert code == 1 and "安全退步" in out and "的优先级降低" in out
    assert out.index("安全退步") < out.index("按去向")


def test_bad_logs_are_exit_2_with_their_line(policy: Path, tmp_path: Path) -> None:
    logs = tmp_path / "a.csv"
    logs.write_text("text,sent_at\n在吗,昨天\n", encoding="utf-8")
    code, _, err = run("policy", "simulate", policy, policy, "--logs", logs)
    assert code == 2 and "a.csv:2: sent_at: found '昨天'" in err
    logs.write_text("role,text\nbot,您好\n", encoding="utf-8")
    code, _, err = run("policy", "simulate", policy, policy, "--logs", logs)
    assert code == 2 and "found no buyer messages" in err
