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


def case(**keys: str) -> str:
    """A scenario with these keys; `said` is in its third line, the first other key in its fourth."""
    keys = {"said": "{topic: human}", **keys}
    rest = "".join(f"  {key}: {value}\n" for key, value in {"route": "{rule: human}", **keys}.items() if key != "said")
    said = f"- name: a\n  message: {{text: b}}\n  said: {keys['said']}\n"
    return said + "".join(sorted(rest.splitlines(keepends=True), key=lambda line: "route" in line))


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
        (case(said="{topics_: c}"), ["line 3", "'topics_'", "topic"]),
        (case(said="{topic: abusee}"), ["line 3", "[0].said.topic", "'abusee'", "nearest: abuse"]),
        (case(said="{emotion: furious}"), ["[0].said.emotion", "'furious'", "angry"]),
        (case(said="{confidence: '0.9'}"), ["[0].said.confidence", "found '0.9'", "0 to 1"]),
        (case(said="{needs_human: 90}"), ["[0].said.needs_human", "found 90", "0.6"]),
        (case(said="{also: [abuse, humn]}"), ["[0].said.also", "found 'humn'", "human"]),
        (case(said="{evasions: [[s.b]]}"), ["[0].said.evasions", "as written, as meant, kind"]),
        (case(said="[abuse]"), ["[0].said", "a mapping"]),
        (case(hits="七天无理由"), ["line 4", "[0].hits", "a list of answers"]),
        (case(hits="[1]"), ["[0].hits", "a list of answers"]),
        (case(asked_before="'1'"), ["[0].asked_before", "found '1'", "a whole number"]),
        (case(asked_before="-1"), ["[0].asked_before", "found -1"]),
        (case(asked_before="true"), ["[0].asked_before", "found True"]),
        (case(route="{}"), ["[0].route", "can't fail"]),
        (case(route="{reasons: 转人工}"), ["[0].route.reasons", "a list of texts"]),
        (case(route="{flow: }"), ["[0].route.flow", "leave the key out"]),
        (case(overlay=""), ["[0].overlay", "found nothing"]),
        ("- {name: 3, message: {text: b}, route: {rule: c}}\n", ["[0].name", "found 3", "in quotes"]),
        ("- {name: a, message: b, route: {rule: c}}\n", ["[0].message", "expected an object"]),
        ("- {name: a, message: {text: b, sent_at: noon}, route: {rule: c}}\n", ["sent_at", "ISO 8601"]),
        (GOOD + "- {name: a}\n", ["line 5", "[1].message", "found nothing"]),
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


def test_differences_are_said_of_each_field_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(case(route="{rule: human, tags: [要人工, 急], reasons: [要求人工, 没这句]}"), encoding="utf-8")
    tags, reason = read_scenarios(file)[0].differences(Policy.load())
    assert "expected tags ['要人工', '急'], found ('要人工',)" in tags
    assert "expected a reason with '没这句', found 买家要求人工" in reason


def test_a_failed_model_an_overlay_and_earlier_turns(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    overlay = "{thresholds: {per_topic: {human: 1.0}}}"
    file.write_text(
        case(said="", route="{rule: error}") + case(overlay=overlay, route="{rule: unsure}"), encoding="utf-8"
    )
    assert [one.differences(Policy.load()) for one in read_scenarios(file)] == [[], []]


def test_no_scenario_depends_on_the_time_at_which_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(case(), encoding="utf-8")
    assert read_scenarios(file)[0].message.sent_at.isoformat() == "2026-11-11T12:00:00+08:00"


def test_a_folder_gives_all_its_files_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"found no \.yaml file"):
        read_scenarios(tmp_path)
    for name in ("b", "a"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    assert [one.where for one in read_scenarios(tmp_path)] == ["a.yaml line 1", "b.yaml line 1"]
