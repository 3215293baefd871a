"""`fenzhen policy check`: what is proved wrong, scenarios that break, exit codes, JSON."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fenzhen.defaults import default_file

Command = Callable[..., tuple[int, str, str]]
SHIPPED = default_file("policy.yaml").read_text(encoding="utf-8")
SCENARIOS = """
- name: 没付款的买家要人工,给售前
  message: {text: 转人工, order: {state: unpaid}}
  said: {topic: human}
  route: {group: presale, rule: human}
"""


def without(*rules: str) -> str:
    """The shipped policy without these rules."""
    text = SHIPPED
    for rule in rules:
        text, count = re.subn(rf"  - id: {rule}\n(?:    .*\n)+", "", text)
        assert count == 1
    return text


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_the_shipped_policy_and_its_shops_have_no_fault(command: Command) -> None:
    code, out, err = command("policy", "check", "--policy", default_file("policy.yaml"))
    assert (code, err) == (0, "")
    assert re.search(r"\d+ 条规则、3 家店铺的覆盖:0 个错误,\d+ 个提示\n", out)


def test_a_missing_safety_rule_is_a_fault(command: Command, policy: Callable[[str], Path]) -> None:
    code, out, _ = command("policy", "check", "--policy", policy(without("threat")))
    assert code == 1
    assert "缺安全规则 [default] 没有安全规则管「维权威胁」" in out
    assert "0 家店铺的覆盖:1 个错误" in out


def test_a_gap_that_leaves_people_to_the_bot_is_a_fault(command: Command, policy: Callable[[str], Path]) -> None:
    code, out, _ = command("policy", "check", "--policy", policy(without("needs_human")))
    assert code == 1
    assert "不安全 [default] 需要人工的消息可能先被规则 track 留给机器人" in out


def test_hints_alone_are_no_failure(command: Command, policy: Callable[[str], Path]) -> None:
    extra = "  idle:\n    {name: 闲置, tier: agent}\n  duty:\n"
    code, out, _ = command("policy", "check", "--policy", policy(SHIPPED.replace("  duty:\n", extra)))
    assert code == 0
    assert "无人可达的组 [default] 没有规则会转到闲置组(idle)" in out
    assert "0 个错误,1 个提示" in out


def test_a_shop_is_told_only_of_its_own_and_equal_shops_are_proved_for_each(
    command: Command, policy: Callable[[str], Path], tmp_path: Path
) -> None:
    path = policy(without("threat"))
    (tmp_path / "shops").mkdir()
    for shop in ("甲", "乙"):
        (tmp_path / "shops" / f"{shop}.yaml").write_text("rules: [{id: complaint, off: true}]\n", encoding="utf-8")
    (tmp_path / "shops" / "丙.yaml").write_text("thresholds: {topic: 0.7}\n", encoding="utf-8")
    code, out, _ = command("policy", "check", "--policy", path, "--json")
    found = [(row["policy"], row["about"]) for row in json.loads(out)["findings"] if row["fault"]]
    assert code == 1
    assert found.count(("default", "complaint.threat")) == 1
    assert {shop for shop, about in found if about == "complaint.service"} == {"甲", "乙"}
    assert not [about for shop, about in found if about == "complaint.threat" and shop != "default"]
    assert "丙" not in {shop for shop, _ in found}


def test_scenarios_that_hold_are_counted(command: Command, policy: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    file = tmp_path / "cases" / "s.yaml"
    file.write_text(SCENARIOS, encoding="utf-8")
    for where in (file, file.parent):
        code, out, _ = command("policy", "check", "--policy", policy(SHIPPED), "--scenarios", where)
        assert code == 0
        assert out.endswith(";1 个场景,0 处不符\n")


def test_a_scenario_that_does_not_hold_fails(command: Command, policy: Callable[[str], Path], tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIOS.replace("group: presale", "group: expert"), encoding="utf-8")
    args = ("policy", "check", "--policy", policy(SHIPPED), "--scenarios", file)
    code, out, _ = command(*args)
    assert code == 1
    assert "场景不符 s.yaml line 2 没付款的买家要人工,给售前: expected group 'expert', found 'presale'" in out
    code, out, _ = command(*args, "--json")
    said = json.loads(out)
    assert code == 1
    assert (said["scenarios"], len(said["broken"])) == (1, 1)
    assert all(set(row) == {"policy", "kind", "about", "text", "fault"} for row in said["findings"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHIPPED.replace("topic: 0.6 ", "topic: 1.6 "), "thresholds.topic: found 1.6, expected a number from 0 to 1"),
        (SHIPPED.replace("rules:\n", "ruels:\n"), "nearest known: rules"),
        ("rules: [", "not valid YAML"),
        ("", "expected a mapping"),
    ],
)
def test_a_policy_that_cant_be_loaded_is_one_line_and_exit_2(
    command: Command, policy: Callable[[str], Path], text: str, says: str
) -> None:
    code, out, err = command("policy", "check", "--policy", policy(text))
    assert (code, out) == (2, "")
    assert "policy.yaml" in err and says in err


def test_files_that_are_not_there_are_exit_2(command: Command, tmp_path: Path) -> None:
    code, _, err = command("policy", "check", "--policy", tmp_path / "none.yaml")
    assert code == 2 and "no policy file at" in err
    code, _, err = command(
        "policy", "check", "--policy", default_file("policy.yaml"), "--scenarios", tmp_path / "s.yaml"
    )
    assert code == 2 and "s.yaml: can't read it" in err
