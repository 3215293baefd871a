"""Proofs: each kind of finding where it is due, and none where it isn't. Soundness is in test_prove_sound."""

from typing import Any

import pytest

from fenzhen.routing.policy import Policy
from fenzhen.routing.prove import FAULTS, prove
from fenzhen.taxonomy import default

GROUPS = {"a": {"name": "甲", "tier": "agent"}, "b": {"name": "乙", "tier": "expert"}}
SAFETY = {
    "id": "safety",
    "when": {"topic": ["abuse", "complaint.*", "human"]},
    "then": {"action": "handoff", "group": "b"},
    "reason": "安全",
    "safety": True,
}
UNSURE = {
    "id": "unsure",
    "when": {"below_threshold": "topic"},
    "then": {"action": "handoff", "group": "a"},
    "reason": "?",
}


def rule(id: str, when: dict[str, Any], action: str = "handoff", **then: Any) -> dict[str, Any]:
    standard = {"handoff": {"group": "a"}, "self_service": {"flow": "f"}}.get(action, {})
    return {"id": id, "when": when, "then": {"action": action, **standard, **then}, "reason": "因"}


def policy(*rules: dict[str, Any], **sections: Any) -> Policy:
    return Policy.from_dict({"groups": GROUPS, "rules": [SAFETY, UNSURE, *rules], **sections})


def kinds(made: Policy) -> list[tuple[str, str]]:
    return [(finding.kind, finding.about) for finding in prove(made)]


def test_a_sound_policy_has_no_findings() -> None:
    careful = rule("careful", {"emotion": ["angry"]}), rule("needs", {"above_threshold": "needs_human"})
    assert kinds(policy(*careful, rule("track", {"topic": ["logistics.track"]}, "self_service"))) == []


def test_a_rule_that_several_cover_is_dead() -> None:
    made = policy(
        rule("one", {"topic": ["order.status"]}),
        rule("two", {"topic": ["order.place"], "min_confidence": 0.3}),
        rule("late", {"topic": ["order.status", "order.place"]}),
    )
    [dead] = [finding for finding in prove(made) if finding.kind == "dead"]
    assert dead.about == "late" and "one" in dead.text and "two" in dead.text


def test_thresholds_contradict_a_rule() -> None:
    made = policy(rule("never", {"topic": ["order.status"], "below_threshold": "topic", "min_confidence": 0.8}))
    assert ("contradiction", "never") in kinds(made)
    per_topic = {"per_topic": {"order.status": 0.9}}
    assert ("dead", "high") in kinds(
        policy(rule("high", {"topic": ["order.status"], "max_confidence": 0.85}), thresholds=per_topic)
    )


def test_a_topic_that_a_rule_never_gets() -> None:
    made = policy(rule("one", {"topic": ["order.status"]}), rule("two", {"topic": ["order.status", "order.place"]}))
    [found] = [finding for finding in prove(made) if finding.kind == "shadowed"]
    assert found.about == "two" and default().name("order.status") in found.text and "one" in found.text


def test_a_group_nobody_reaches() -> None:
    groups = {**GROUPS, "c": {"name": "丙", "tier": "agent"}, "d": {"name": "丁", "tier": "agent"}}
    groups["a"] = {**groups["a"], "hours": "08:00-20:00", "overflow": "c"}
    assert ("unreachable_group", "d") in kinds(policy(groups=groups))
    assert ("unreachable_group", "c") not in kinds(policy(groups=groups))
    by_tier = rule("tier", {"topic": ["order.place"]}, tier="temporary", group=None)
    by_tier["then"].pop("group")
    temporary = {**GROUPS, "t": {"name": "临", "tier": "temporary"}}
    assert ("unreachable_group", "t") not in kinds(policy(by_tier, groups=temporary))


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"topic": ["logistics.track"]}, "愤怒的买家"),
        ({"topic": ["logistics.track"], "emotion": ["neutral"]}, "需要人工的消息"),
    ],
)
def test_a_bot_rule_that_may_keep_those_who_need_people(when: dict[str, Any], words: str) -> None:
    found = [finding for finding in prove(policy(rule("track", when, "self_service"))) if finding.kind == "unsafe"]
    assert any(finding.about == "track" and words in finding.text for finding in found)


def test_safety_topics_without_a_safety_rule() -> None:
    made = Policy.from_dict({"groups": GROUPS, "rules": [UNSURE, rule("all", {})]})
    assert {about for kind, about in kinds(made) if kind == "no_safety_rule"} == set(default().safety)
    assert "no_safety_rule" in FAULTS


def test_a_rule_about_anger_guards_no_topic() -> None:
    angry = {**rule("angry", {"emotion": ["angry"]}), "safety": True}
    made = Policy.from_dict({"groups": GROUPS, "rules": [angry, UNSURE, rule("all", {})]})
    assert {about for kind, about in kinds(made) if kind == "no_safety_rule"} == set(default().safety)


def test_topic_and_intent_that_exclude_each_other() -> None:
    [found] = prove(policy(rule("never", {"topic": ["order.status"], "intent": ["presale"]})))
    assert (found.kind, found.about) == ("contradiction", "never") and "主题与意图对不上" in found.text


def test_groups_that_only_their_topics_name_are_reached() -> None:
    groups = {**GROUPS, "c": {"name": "丙", "tier": "agent", "topics": ["order.*"]}}
    groups["d"] = {"name": "丁", "tier": "agent", "categories": ["手机"]}
    by_category = rule("look", {"topic": ["presale.*"]}, group="by_category")
    assert kinds(policy(groups=groups)) == [("unreachable_group", "d")]  # what no rule matches goes by topic
    assert kinds(policy(by_category, groups=groups)) == []


def test_a_group_that_does_not_exist_is_no_endless_loop() -> None:
    assert kinds(policy(rule("lost", {"topic": ["order.place"]}, group="nowhere"))) == []


def test_what_takes_a_topic_from_a_rule_names_no_other_rule() -> None:
    made = policy(
        rule("one", {"topic": ["order.status"]}),
        rule("part", {"topic": ["order.place"], "emotion": ["angry"]}),
        rule("two", {"topic": ["order.status", "order.place"]}),
    )
    [found] = [finding for finding in prove(made) if finding.kind == "shadowed"]
    assert "先被 one、unsure 接走" in found.text


@pytest.mark.parametrize(
    ("then", "more", "unsafe"),
    [({}, {}, True), ({"priority": "urgent"}, {}, False), ({}, {"safety": True}, False)],
)
def test_a_handoff_before_safety_where_the_bot_is_alone_at_times(
    then: dict[str, Any], more: dict[str, Any], unsafe: bool
) -> None:
    """A shop's own handoff goes first; in such hours it would leave complaints to the bot."""
    vip = {**rule("vip", {"buyer_tags": ["VIP"]}, **then), **more}
    night = [{"mode": "bot_only", "hours": "00:00-08:00"}]
    made = Policy.from_dict({"groups": GROUPS, "reception": night, "rules": [vip, SAFETY, UNSURE]})
    found = [finding for finding in prove(made) if finding.kind == "unsafe"]
    assert bool(found) is unsafe and all("仅机器人模式下可能先被规则 vip" in finding.text for finding in found)
    by_day = Policy.from_dict({"groups": GROUPS, "rules": [vip, SAFETY, UNSURE]})
    assert ("unsafe", "vip") not in kinds(by_day)


def test_rules_that_cover_another_only_together_are_dead_by_confidence() -> None:
    low, high = {"max_confidence": 0.8}, {"min_confidence": 0.8}
    both = [rule("low", {"topic": ["order.*"], **low}), rule("high", {"topic": ["order.*"], **high})]
    assert ("dead", "last") in kinds(policy(*both, rule("last", {"topic": ["order.status"]})))
    gap = rule("high", {"topic": ["order.*"], "min_confidence": 0.81})
    assert ("dead", "last") not in kinds(policy(both[0], gap, rule("last", {"topic": ["order.status"]})))


@pytest.mark.parametrize(
    ("first", "second", "findings"),
    [
        ({"min_amount": 0}, {}, []),  # an amount that is not known is not at least nothing
        ({"max_amount": 100}, {"max_amount": 100}, [("dead", "second")]),
        ({"max_amount": 100}, {"min_amount": 100, "max_amount": 100}, [("dead", "second")]),
        ({"max_amount": 99}, {"min_amount": 99, "max_amount": 100}, []),
        ({"max_confidence": 0.9}, {"min_confidence": 0.9, "max_confidence": 0.9}, [("dead", "second")]),
        ({}, {}, [("dead", "second")]),
        ({"max_chars": 1}, {"min_confidence": 0.9, "max_confidence": 0.9}, []),  # exactly so much is possible
        ({"max_chars": 1}, {"below_threshold": "topic", "min_confidence": 0.6}, [("contradiction", "second")]),
        ({"max_chars": 1}, {"above_threshold": "topic", "max_confidence": 0.6}, []),
    ],
)
def test_bounds_include_their_ends(first: dict[str, Any], second: dict[str, Any], findings: list[Any]) -> None:
    topic = {"topic": ["order.status"]}
    made = policy(rule("first", {**topic, **first}), rule("second", {**topic, **second}))
    assert kinds(made) == findings
