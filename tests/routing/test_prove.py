"""Proofs: each kind of finding where it is due, none where it isn't, and nothing proved that is not so."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.message import ORDER_STATES, Message, Order
from fenzhen.routing.facts import Facts
from fenzhen.routing.policy import Policy
from fenzhen.routing.prove import FAULTS, prove
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import fixed_classification

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


conditions = st.fixed_dictionaries(
    {},
    optional={
        "topic": st.sampled_from([["order.status"], ["order.*"], ["logistics.track", "order.place"]]),
        "emotion": st.sampled_from([["angry"], ["neutral", "pleased"]]),
        "order_state": st.sampled_from([["paid"], ["paid", "shipped"]]),
        "min_confidence": st.sampled_from([0.3, 0.7]),
        "max_confidence": st.sampled_from([0.5, 0.9]),
        "below_threshold": st.sampled_from(["topic", "in_scope"]),
        "above_threshold": st.sampled_from(["topic", "needs_human"]),
        "min_amount": st.sampled_from([0, 100]),
        "keywords": st.sampled_from([["退"], ["退款", "退货"]]),
    },
)
numbers = st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0])


@settings(max_examples=40, deadline=None)
@given(st.lists(conditions, min_size=2, max_size=5), st.data())
def test_what_is_proved_dead_never_decides(whens: list[dict[str, Any]], data: st.DataObject) -> None:
    rules = []
    for number, when in enumerate(whens):
        low, high = when.get("min_confidence", 0), when.get("max_confidence", 1)
        if low > high or when.get("below_threshold") == when.get("above_threshold", ""):
            continue
        rules.append(rule(f"r{number}", when))
    if not rules:
        return
    made = Policy.from_dict({"groups": GROUPS, "rules": rules})
    dead = {finding.about for finding in prove(made) if finding.kind in ("dead", "contradiction")}
    for _ in range(60):
        said = fixed_classification(
            data.draw(st.sampled_from(["order.status", "order.place", "logistics.track", "abuse"])),
            emotion=data.draw(st.sampled_from(["angry", "neutral", "anxious"])),
            confidence=data.draw(numbers),
            in_scope=data.draw(numbers),
            needs_human=data.draw(numbers),
        )
        state = data.draw(st.sampled_from([None, *ORDER_STATES]))
        order = None if state is None else Order(state=state, amount=data.draw(st.sampled_from([None, 0.0, 100.0])))
        message = Message(data.draw(st.sampled_from(["退款", "退货吗", "在吗"])), order=order)
        facts = Facts(said, message, made.thresholds, made.clocks)
        decided = next((one.id for one in made.rules if one.test(facts)), None)
        assert decided not in dead
