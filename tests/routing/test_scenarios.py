"""Scenario files: what they may say, and what a bad one is refused with."""

from pathlib import Path

import pytest

from fenzhen.errors import PolicyError
from fenzhen.routing.policy import Policy
from fenzhen.routing.scenarios import read_scenarios

GOOD = """\
- name: 转人工
  message: {text: 转人工, order: {state: paid}}
  said: {topic: human, also: [order.invoice], evasions: [["s.b", 傻逼, split]]}
  route: {group: aftersale, tags: [要人工], reasons: [买家要求人工]}
"""


def test_a_scenario_is_read_and_run(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GOOD, encoding="utf-8")
    [scenario] = read_scenarios(file)
    assert scenario.said is not None and scenario.said.evasions[0].canonical == "傻逼"
    assert scenario.where == "a.yaml line 1" and scenario.differences(Policy.load()) == []


def test_differences_name_the_case(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GOOD.replace("group: aftersale", "group: presale"), encoding="utf-8")
    [difference] = read_scenarios(file)[0].differences(Policy.load())
    assert difference == "a.yaml line 1 转人工: expected group 'presale', found 'aftersale'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}\n", ["expected a list of scenarios"]),
        ("- 1\n", ["line 1", "a mapping"]),
        ("- {name: a, route: {}}\n", ["message", "found nothing"]),
        ("- {name: a, message: {text: b}}\n", ["route", "found nothing"]),
        ("- {name: a, message: {text: ' '}, route: {}}\n", ["message", "text is empty"]),
        ("- {name: a, message: {txt: b}, route: {}}\n", ["unknown field txt"]),
        ("- {nam: a, message: {text: b}, route: {}}\n", ["'nam'", "nearest known: name"]),
        ("- name: a\n  message: {text: b}\n  route: {grup: c}\n", ["line 3", "'grup'", "group"]),
        ("- name: a\n  message: {text: b}\n  said: {topics_: c}\n  route: {}\n", ["'topics_'", "topic"]),
    ],
)
def test_bad_files_say_what_and_where(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        read_scenarios(file)
    for word in [*words, "a.yaml"]:
        assert word in str(caught.value)


def test_a_bad_overlay_is_said_when_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(GOOD + "  overlay: {rules: [{id: trak, off: true}]}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="rule trak"):
        read_scenarios(file)[0].differences(Policy.load())
