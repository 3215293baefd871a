"""Reception modes: who answers in each, by channel, hours and queue; with holders, knowledge base hits and failures."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from fenzhen.errors import PolicyError
from fenzhen.message import Message
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import Route
from fenzhen.routing.policy import Policy
from fenzhen.routing.sections import MODE_NAMES, MODES, read_reception
from fenzhen.understanding.classification import Classification, fixed_classification

NOON = datetime(2026, 11, 11, 12, 0, tzinfo=timezone(timedelta(hours=8)))
GROUPS = {"a": {"name": "甲", "tier": "agent", "topics": ["presale.*"]}, "b": {"name": "乙", "tier": "expert"}}
TODO = "待人工跟进"


def rule(id: str, topic: str, then: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id, "when": {"topic": [topic]}, "then": then, "reason": "因", **more}


RULES = [
    rule("safe", "abuse", {"action": "handoff", "group": "b"}, safety=True),
    rule("fast", "complaint.threat", {"action": "handoff", "group": "b", "priority": "urgent"}),
    rule(
        "slow",
        "order.modify",
        {"action": "handoff", "tier": "agent", "priority": "high", "tags": ["改"], "alert": True},
    ),
    rule("flow", "logistics.track", {"action": "self_service", "flow": "f"}),
    rule("ask", "presale.price", {"action": "faq"}),
    rule("chat", "chitchat.ack", {"action": "bot", "priority": "low"}),
]


@dataclass(frozen=True)
class Entry:
    answer: str
    score: float = 0.9


def routed(mode: Any, topic: str | None, hits: list[str] | None = None, **message: Any) -> Route:
    reception = mode if isinstance(mode, list) else [{"mode": mode}]
    policy = Policy.from_dict({"groups": GROUPS, "fallback": "b", "reception": reception, "rules": RULES})
    said: Classification | None = None if topic is None else fixed_classification(topic)
    search = None if hits is None else lambda: Entry(hits[0]) if hits else None
    return decide(said, Message(**{"text": "在吗", "sent_at": NOON, **message}), policy, search=search)


@pytest.mark.parametrize(
    ("topic", "assist", "bot_first", "bot_only"),
    [
        ("abuse", "handoff", "handoff", "handoff"),  # a matter of safety
        ("complaint.threat", "handoff", "handoff", "handoff"),  # urgent
        ("order.modify", "handoff", "handoff", "bot"),
        ("logistics.track", "handoff", "self_service", "self_service"),
        ("presale.price", "handoff", "faq", "faq"),
        ("chitchat.ack", "handoff", "bot", "bot"),
        ("order.place", "handoff", "handoff", "bot"),  # no rule matches
        (None, "handoff", "handoff", "handoff"),  # the model failed
    ],
)
def test_who_answers(topic: str | None, assist: str, bot_first: str, bot_only: str) -> None:
    assert [routed(mode, topic).action for mode in ("assist", "bot_first", "bot_only")] == [assist, bot_first, bot_only]
    for mode in MODES:  # people who have the conversation answer in every mode
        held = routed(mode, topic, holder="a")
        assert (held.action, held.group) == ("handoff", "b" if topic == "abuse" else "a")
        assert TODO not in held.tags


def test_assist_hands_over_with_what_the_bot_would_say() -> None:
    route = routed("assist", "logistics.track")
    assert (route.action, route.tier, route.group, route.flow, route.answer) == ("handoff", "expert", "b", "f", None)
    assert "当前为智能辅助模式,机器人只给建议,由人工回复" in route.reasons
    route = routed("assist", "presale.price", ["五折"])
    assert (route.action, route.group, route.answer) == ("handoff", "a", "五折")
    assert routed("assist", "presale.price", []).answer is None
    assert routed("assist", "chitchat.ack").priority == "low"
    assert not any("模式" in reason for reason in routed("assist", "order.modify").reasons)


def test_bot_only_writes_down_what_people_would_have_got() -> None:
    route = routed("bot_only", "order.modify")
    assert (route.action, route.tier, route.group, route.rule, route.priority) == ("bot", "bot", None, "slow", "high")
    assert route.tags == ("改", TODO) and route.alert
    assert f"当前为仅机器人模式,先由机器人应答并记下,{TODO}" in route.reasons
    assert routed("bot_only", "order.place").tags == (TODO,)
    assert routed("bot_only", "logistics.track").tags == ()


@pytest.mark.parametrize(
    ("hits", "action", "answer", "tags"),
    [(None, "faq", None, ()), (["五折"], "faq", "五折", ()), ([], "bot", None, (TODO,))],
)
def test_bot_only_and_the_knowledge_base(hits: Any, action: str, answer: str | None, tags: tuple[str, ...]) -> None:
    route = routed("bot_only", "presale.price", hits)
    assert (route.action, route.answer, route.tags, route.rule) == (action, answer, tags, "ask")
    assert ("知识库里没有足够相近的问题" in route.reasons) == (hits == [])


def test_held_conversations_get_no_answer_of_the_bot() -> None:
    route = routed("bot_only", "presale.price", ["五折"], holder="b")
    assert (route.action, route.group, route.answer, route.flow) == ("handoff", "b", None, None)


@pytest.mark.parametrize(
    ("row", "message", "expected"),
    [
        ({"channel": ["douyin", "wechat"]}, {"channel": "wechat"}, True),
        ({"channel": ["douyin"]}, {"channel": "jd"}, False),
        ({"channel": ["douyin"]}, {}, False),
        ({"hours": "22:00-08:00"}, {"sent_at": NOON.replace(hour=22)}, True),
        ({"hours": "22:00-08:00"}, {"sent_at": NOON.replace(hour=7, minute=59)}, True),
        ({"hours": "22:00-08:00"}, {"sent_at": NOON.replace(hour=8)}, False),
        ({"min_queue": 200}, {"queue_length": 200}, True),
        ({"min_queue": 200}, {"queue_length": 199}, False),
        ({"min_queue": 1}, {}, False),
        ({"channel": ["douyin"], "min_queue": 200}, {"channel": "douyin", "queue_length": 300}, True),
        ({"channel": ["douyin"], "min_queue": 200}, {"channel": "jd", "queue_length": 300}, False),
    ],
)
def test_when_a_mode_holds(row: dict[str, Any], message: dict[str, Any], expected: bool) -> None:
    kept = routed([{"mode": "bot_only", **row}], "order.modify", **message)
    assert kept.action == ("bot" if expected else "handoff")


def test_the_first_mode_that_holds_counts_and_none_is_bot_first() -> None:
    rows = [{"mode": "assist", "channel": ["jd"]}, {"mode": "bot_only"}]
    assert routed(rows, "logistics.track", channel="jd").action == "handoff"
    assert routed(rows, "order.modify", channel="douyin").action == "bot"
    assert routed([], "logistics.track").action == "self_service"
    assert set(MODE_NAMES) == set(MODES)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, ["reception", "a list of"]),
        ([{"hours": "22:00-08:00"}], ["reception[0].mode", "found nothing", "bot_only"]),
        ([{"mode": "assist"}, {"mode": "robot"}], ["reception[1].mode", "'robot'"]),
        ([{"mode": "assist", "shop": ["a"]}], ["reception[0]", "'shop'", "unknown key"]),
        ([{"mode": "assist", "min_queue": 0}], ["reception[0].min_queue", "from 1"]),
    ],
)
def test_what_is_refused(value: Any, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        read_reception(value)
    for word in words:
        assert word in str(caught.value)
