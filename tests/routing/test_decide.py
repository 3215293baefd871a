"""decide: total, first match wins, hours and holder, FAQ hits. The shipped rules are in test_shipped_policy."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.message import ORDER_STATES, Message, Order, Turn
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import ACTIONS, PRIORITIES, TIERS
from fenzhen.routing.facts import minute_in_china
from fenzhen.routing.policy import Policy
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, fixed_classification

SHIPPED = Policy.load()
NOON = datetime(2026, 11, 11, 12, 0, tzinfo=timezone(timedelta(hours=8)))


def policy(groups: dict[str, Any] | None = None, *, action: str = "handoff", safety: bool = False) -> Policy:
    then: dict[str, Any] = {"handoff": {"group": "a"}, "self_service": {"flow": "f"}}.get(action, {})
    rules = [
        {
            "id": "first",
            "when": {"topic": "order"},
            "then": {"action": action, **then},
            "reason": "订单",
            "safety": safety,
        },
        {"id": "second", "when": {"topic": "order"}, "then": {"action": "handoff", "group": "b"}, "reason": "从不"},
    ]
    standard = {"a": {"name": "甲", "tier": "agent"}, "b": {"name": "乙", "tier": "expert"}}
    return Policy.from_dict({"groups": groups or standard, "rules": rules})


ORDER = fixed_classification("order.status")


def test_first_match_wins_and_no_match_is_a_handoff() -> None:
    assert decide(ORDER, Message("查单"), policy()).rule == "first"
    route = decide(fixed_classification("presale.price"), Message("多少钱"), policy())
    assert (route.action, route.group, route.rule) == ("handoff", "a", "default")
    assert "没有匹配的规则" in route.reasons[0]


@pytest.mark.parametrize(
    ("action", "tier"), [("bot", "bot"), ("faq", "bot"), ("self_service", "self_service"), ("handoff", "agent")]
)
def test_tier_of_actions(action: str, tier: str) -> None:
    route = decide(ORDER, Message("查单"), policy(action=action))
    assert (route.action, route.tier, route.group) == (action, tier, "a" if action == "handoff" else None)


def test_a_failed_model_is_a_handoff() -> None:
    route = decide(None, Message("查单"), policy(action="bot"))
    assert (route.action, route.rule, route.priority) == ("handoff", "error", "high")


@pytest.mark.parametrize("field", ["confidence", "emotion_score", "needs_human", "in_scope"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_impossible_numbers_are_a_handoff(field: str, value: float) -> None:
    said = fixed_classification("order.status", **{field: value})
    assert decide(said, Message("查单"), policy(action="bot")).rule == "error"


@dataclass(frozen=True)
class Entry:
    answer: str
    score: float = 0.9


def test_faq_hits_answer_only_faq_rules() -> None:
    def search() -> Entry:
        return Entry("一")

    assert decide(ORDER, Message("查单"), policy(action="faq"), search=search).answer == "一"
    assert decide(ORDER, Message("查单"), policy(action="faq")).answer is None
    assert decide(ORDER, Message("查单"), policy(action="bot"), search=search).answer is None


def test_a_faq_rule_without_a_good_entry_is_a_handoff() -> None:
    route = decide(ORDER, Message("查单"), policy(action="faq"), search=lambda: None)
    assert (route.action, route.group) == ("handoff", "a")
    assert "知识库里没有足够相近的问题,转人工回答" in route.reasons


def test_the_knowledge_base_and_meanings_are_asked_only_where_a_rule_depends_on_them() -> None:
    def never() -> None:
        raise AssertionError("asked")

    assert decide(ORDER, Message("查单"), policy(action="bot"), search=never, asked_before=never).rule == "first"


def test_unknown_shop_is_said_once() -> None:
    message = Message("查单", shop="xx")
    assert "未找到店铺 xx 的规则,按默认规则处理" in decide(ORDER, message, policy(), shop_known=False).reasons
    assert not any("店铺" in reason for reason in decide(ORDER, message, policy()).reasons)


def at(hour: int, minute: int = 0) -> Message:
    return Message("查单", sent_at=NOON.replace(hour=hour, minute=minute).astimezone(UTC))


HOURS: dict[str, Any] = {
    "a": {"name": "甲", "tier": "agent", "hours": "08:00-24:00", "overflow": "b"},
    "b": {"name": "乙", "tier": "agent", "hours": "22:00-06:00", "overflow": "c"},
    "c": {"name": "丙", "tier": "expert", "hours": "07:00-08:00"},
}


@pytest.mark.parametrize(
    ("hour", "minute", "group", "words"),
    [
        (8, 0, "a", ""),
        (23, 59, "a", ""),
        (0, 0, "b", "00:00 不在甲组服务时间(08:00–24:00),转乙组"),
        (5, 59, "b", "转乙组"),
        (7, 30, "c", "转丙组"),
        (6, 0, "a", "暂无其他组在岗,留给甲组"),
    ],
)
def test_hours_and_overflow(hour: int, minute: int, group: str, words: str) -> None:
    route = decide(ORDER, at(hour, minute), policy(HOURS))
    assert route.group == group
    assert words in "\n".join(route.reasons)
    assert bool(words) == any("服务时间" in reason for reason in route.reasons)


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_minute_in_china_at_the_ends_of_time(moment: datetime, hours: int) -> None:
    message = Message("x", sent_at=moment.replace(tzinfo=timezone(timedelta(hours=hours))))
    expected = (moment.hour * 60 + moment.minute + (8 - hours) * 60) % 1440
    assert minute_in_china(message) == expected


def test_a_loop_or_missing_overflow_still_ends() -> None:
    looped = {"a": {**HOURS["a"], "overflow": "b"}, "b": {**HOURS["a"], "name": "乙", "overflow": "a"}}
    assert decide(ORDER, at(3), policy(looped)).group == "a"


@pytest.mark.parametrize(
    ("action", "safety", "holder", "group", "rerouted"),
    [
        ("handoff", False, None, "a", False),
        ("handoff", False, "a", "a", False),
        ("handoff", False, "b", "b", True),
        ("handoff", True, "b", "b", True),  # never down, and so never twice
        ("bot", False, "b", "b", True),
        ("handoff", False, "bot", "a", False),
        ("handoff", False, "elsewhere", "a", False),
    ],
)
def test_holder(action: str, safety: bool, holder: str | None, group: str, rerouted: bool) -> None:
    route = decide(ORDER, Message("查单", holder=holder), policy(action=action, safety=safety))
    assert (route.action, route.group) == ("handoff", group)
    assert any("由其继续处理" in reason for reason in route.reasons) is rerouted


def test_holder_keeps_the_conversation_at_any_hour() -> None:
    message = Message("查单", holder="a", sent_at=NOON.replace(hour=3))
    assert decide(ORDER, message, policy(HOURS)).group == "a"


def test_a_bot_rule_is_no_bot_answer_while_the_model_fails_in_a_held_conversation() -> None:
    route = decide(None, Message("查单", holder="b"), policy(action="bot"))
    assert (route.action, route.group, route.rule) == ("handoff", "b", "error")


def test_percentages_are_cut_so_that_below_is_below() -> None:
    said = fixed_classification("logistics.track", confidence=0.599)
    reason = decide(said, Message("快递"), SHIPPED).reasons[0]
    assert reason == "置信度 59%,低于 60%,转人工确认(规则 unsure)"


words = st.text(max_size=8)
topics = st.sampled_from(default().topic_ids) | words
numbers = st.floats(0, 1) | st.floats()
classifications: st.SearchStrategy[Classification | None] = st.none() | st.builds(
    Classification,
    topic=topics,
    topics=st.just(()),
    intent=words,
    emotion=st.sampled_from(default().emotion_ids) | words,
    emotion_score=numbers,
    needs_human=numbers,
    in_scope=numbers,
    confidence=numbers,
    also=st.lists(topics, max_size=2).map(tuple),
)
messages = st.builds(
    Message,
    text=st.text(min_size=1),
    shop=st.none() | words,
    sent_at=st.datetimes(timezones=st.just(UTC)) | st.datetimes(),
    holder=st.none() | st.sampled_from([*SHIPPED.groups, "bot"]) | words,
    history=st.lists(st.builds(Turn, st.sampled_from(["buyer", "bot", "agent"]), words), max_size=4).map(tuple),
    order=st.none() | st.builds(Order, state=st.sampled_from(ORDER_STATES), amount=st.none() | st.floats(0, 1e9)),
)


@given(classifications, messages, st.booleans())
def test_decide_is_total(classification: Classification | None, message: Message, known: bool) -> None:
    route = decide(classification, message, SHIPPED, shop_known=known)
    assert route.action in ACTIONS and route.tier in TIERS and route.priority in PRIORITIES
    assert (route.group is not None) == (route.action == "handoff")
    assert route.group is None or route.group in SHIPPED.groups
    assert route.reasons and all(route.reasons)
    assert decide(classification, message, SHIPPED, shop_known=known) == route
    if route.action != "handoff":
        assert classification is not None and classification.confidence >= SHIPPED.thresholds.of_topic(
            classification.topic
        )
        assert classification.emotion != "angry" and message.holder not in SHIPPED.groups
    json.dumps(route.reasons)
