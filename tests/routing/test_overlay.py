"""Shop overlays: what they inherit, replace, add and switch off, and where new rules go."""

from pathlib import Path

import pytest

from fenzhen.errors import PolicyError
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy

BASE = """\
groups:
  a: {name: 售后, tier: agent, hours: "08:00-24:00", overflow: b}
  b: {name: 专家, tier: expert}
thresholds: {topic: 0.6, per_topic: {abuse: 0.2, human: 0.3}}
rules:
  - {id: abuse, when: {topic: [abuse]}, then: {action: handoff, group: b}, reason: 辱骂, safety: true}
  - {id: unsure, when: {below_threshold: topic}, then: {action: handoff, group: a}, reason: 没把握}
  - {id: track, when: {topic: [logistics.track]}, then: {action: self_service, flow: track}, reason: 查物流}
  - {id: price, when: {topic: [presale.price]}, then: {action: faq}, reason: 问价}
"""


def shop(tmp_path: Path, overlay: str) -> Policy:
    shops = tmp_path / "shops"
    shops.mkdir(exist_ok=True)
    (tmp_path / "policy.yaml").write_text(BASE, encoding="utf-8")
    (shops / "s.yaml").write_text(overlay, encoding="utf-8")
    return Policies.load(tmp_path / "policy.yaml", shops).overlays["s"]


def ids(policy: Policy) -> list[str]:
    return [rule.id for rule in policy.rules]


def new(id: str, action: str, extra: str = "") -> str:
    then = "{action: handoff, group: a}" if action == "handoff" else f"{{action: {action}}}"
    return f"rules: [{{id: {id}, when: {{topic: [order.place]}}, then: {then}, reason: 新{extra}}}]\n"


def test_an_empty_overlay_inherits_all(tmp_path: Path) -> None:
    policy = shop(tmp_path, "# 暂无\n")
    base = Policy.load(tmp_path / "policy.yaml")
    assert (policy.rules, policy.thresholds, policy.groups) == (base.rules, base.thresholds, base.groups)


def test_same_id_replaces_only_the_given_parts_in_place(tmp_path: Path) -> None:
    policy = shop(tmp_path, "rules: [{id: abuse, then: {action: handoff, group: a, priority: high}}]\n")
    assert ids(policy) == ["abuse", "unsure", "track", "price"]
    rule = policy.rules[0]
    assert (rule.then.group, rule.then.priority, rule.reason, rule.safety) == ("a", "high", "辱骂", True)


def test_off_and_groups_and_thresholds(tmp_path: Path) -> None:
    overlay = 'groups: {a: {hours: "10:00-20:00"}}\nthresholds: {topic: 0.8, per_topic: {human: 0.1}}\n'
    policy = shop(tmp_path, overlay + "rules: [{id: price, off: true}]\n")
    assert ids(policy) == ["abuse", "unsure", "track"]
    assert (policy.groups["a"].hours, policy.groups["a"].overflow) == ((600, 1200), "b")
    assert policy.thresholds.topic == 0.8
    assert policy.thresholds.of_topic("human") == 0.1


def test_per_topic_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    assert shop(tmp_path, "thresholds: {per_topic: {human: 0.1}}\n").thresholds.of_topic("abuse") == 0.2


def test_a_new_handoff_goes_first(tmp_path: Path) -> None:
    assert ids(shop(tmp_path, new("x", "handoff"))) == ["x", "abuse", "unsure", "track", "price"]


def test_a_new_rule_that_keeps_the_buyer_stays_behind_the_checks(tmp_path: Path) -> None:
    assert ids(shop(tmp_path, new("x", "faq"))) == ["abuse", "unsure", "x", "track", "price"]


def test_after(tmp_path: Path) -> None:
    assert ids(shop(tmp_path, new("x", "handoff", ", after: track"))) == ["abuse", "unsure", "track", "x", "price"]
    assert ids(shop(tmp_path, "rules: [{id: track, after: price}]\n")) == ["abuse", "unsure", "price", "track"]


def test_overlays_of_two_shops_differ_in_version(tmp_path: Path) -> None:
    one = shop(tmp_path, "thresholds: {topic: 0.7}\n").version
    assert shop(tmp_path, "thresholds: {topic: 0.8}\n").version != one


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("rule: []\n", ["overlay", "'rule'", "rules"]),
        ("rules: {}\n", ["rules", "a list of rules"]),
        ("groups: [a]\n", ["groups", "a mapping"]),
        ("thresholds: 0.5\n", ["thresholds", "a mapping"]),
        ("rules: [{id: trak, off: true}]\n", ["rule trak", "found no when", "nearest: track"]),
        ("rules: [{id: track, off: yes}]\n", ["rule track, key off", "found yes without quotes"]),
        ("rules: [{id: track, of: true}]\n", ["rule track", "'of'", "off"]),
        ("rules: [{off: true}]\n", ["rule number 1, key id"]),
        ("rules: [{id: track, off: true}, {id: track, off: false}]\n", ["rule track", "two rules of this id"]),
        ("rules: [{id: track, after: pric}]\n", ["rule track, key after", "'pric'", "price"]),
        (new("x", "faq", ", after: abuse"), ["rule x", "without a check of the confidence"]),
        ("rules: [{id: unsure, off: true}]\n", ["rule track", "without a check of the confidence"]),
        ("groups: {a: {overflow: c}}\n", ["groups.a.overflow", "unknown group 'c'"]),
        ("groups: {c: {tier: agent}}\n", ["groups.c.name", "found nothing"]),
    ],
)
def test_what_is_refused_and_what_it_says(tmp_path: Path, overlay: str, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        shop(tmp_path, overlay)
    for word in [*words, "s.yaml"]:
        assert word in str(caught.value)


@pytest.mark.parametrize(("name", "word"), [("s.yml", "rename it"), ("default.yaml", "called default")])
def test_file_names(tmp_path: Path, name: str, word: str) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(PolicyError, match=word):
        Policies.load(None, tmp_path)


def test_a_missing_folder_is_an_error_and_other_files_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="found no folder"):
        Policies.load(None, tmp_path / "nowhere")
    (tmp_path / "README.md").write_text("说明", encoding="utf-8")
    assert Policies.load(None, tmp_path).overlays == {}
