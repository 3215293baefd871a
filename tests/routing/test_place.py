"""Where a handoff goes: by topic, category, order and tier; who holds it already; hours and overflow in one step."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from fenzhen.message import ORDER_STATES, Message, Order, Product
from fenzhen.routing.conditions import Thresholds
from fenzhen.routing.facts import Facts
from fenzhen.routing.place import Placed, group_of_order, holder_of, place
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import Then
from fenzhen.understanding.classification import fixed_classification

NOON = datetime(2026, 11, 11, 12, 0, tzinfo=timezone(timedelta(hours=8)))
GROUPS: dict[str, Any] = {
    "sale": {"name": "售前", "tier": "agent", "topics": ["presale.*"]},
    "after": {"name": "售后", "tier": "agent", "topics": ["aftersale.*"], "hours": "08:00-22:00", "overflow": "night"},
    "phone": {"name": "手机", "tier": "agent", "categories": ["手机"]},
    "boss": {"name": "专家", "tier": "expert", "hours": "09:00-18:00", "overflow": "sale"},
    "part": {"name": "外包", "tier": "temporary"},
    "night": {"name": "值班", "tier": "temporary", "topics": ["order.*"]},
}
RULES = [{"id": "all", "when": {}, "then": {"action": "handoff", "group": "sale"}, "reason": "因"}]
BY_ORDER = {"before": "sale", "after": "after", "window_days": 15}


def policy(**changes: Any) -> Policy:
    sections = {"groups": GROUPS, "fallback": "part", "by_order": BY_ORDER, "rules": RULES, **changes}
    return Policy.from_dict({key: value for key, value in sections.items() if value is not None})


def placed(then: Then, topic: str | None = "human", *, safety: bool = False, **message: Any) -> Placed:
    made = message.pop("policy", None) or policy()
    came = Message(**{"text": "在吗", "sent_at": NOON, **message})
    return place(then, topic, Facts(fixed_classification(topic or "human"), came, Thresholds()), made, safety=safety)


def to(group: str | None = None, tier: Any = None) -> Then:
    return Then("handoff", group=group, tier=tier)


PAID, UNPAID = Order(state="paid"), Order(state="unpaid")
LOOKED_AT = Product("p", "手机")


@pytest.mark.parametrize(
    ("then", "topic", "message", "group"),
    [
        (to("phone"), "presale.price", {}, "phone"),
        (to("by_topic"), "presale.price", {"order": PAID}, "sale"),
        (to("by_topic"), "human", {"order": PAID}, "after"),  # nobody owns the topic: the order decides
        (to("by_topic"), "human", {}, "part"),  # nor is there an order: the fallback
        (to("by_topic"), None, {"order": UNPAID}, "sale"),
        (to("by_category"), "aftersale.repair", {"product": LOOKED_AT}, "phone"),
        (to("by_category"), "aftersale.repair", {"product": Product("p", "耳机")}, "after"),
        (to("by_category"), "aftersale.repair", {"product": Product("p")}, "after"),
        (to("by_category"), "human", {"order": UNPAID}, "sale"),
        (to("by_category"), "human", {}, "part"),
        (to("by_order"), "presale.price", {"order": PAID}, "after"),
        (to("by_order"), "presale.price", {}, "sale"),  # no order: who owns the topic
        (to("by_order"), "human", {}, "part"),
        (to(tier="temporary"), "order.place", {}, "night"),  # the one of the tier that owns the topic
        (to(tier="temporary"), "presale.price", {}, "part"),  # else its first
        (to(tier="expert"), "presale.price", {}, "boss"),
    ],
)
def test_which_group(then: Then, topic: str | None, message: dict[str, Any], group: str) -> None:
    assert placed(then, topic, **message).group.id == group


@pytest.mark.parametrize("state", ORDER_STATES)
def test_the_state_of_an_order(state: Any) -> None:
    expected = "after" if state in ("paid", "shipped", "signed", "refunding") else "sale"
    assert placed(to("by_order"), order=Order(state=state)).group.id == expected


@pytest.mark.parametrize(("days", "group"), [(15, "after"), (15.001, "sale"), (-1, "after"), (None, "after")])
def test_the_window_is_over_only_after_its_last_moment(days: float | None, group: str) -> None:
    order = Order(state="signed", signed_at=None if days is None else NOON - timedelta(days=days))
    assert placed(to("by_order"), order=order).group.id == group


def test_without_by_order_or_an_order_nothing_is_guessed() -> None:
    assert placed(to("by_order"), order=PAID, policy=policy(by_order=None)).group.id == "part"
    facts = Facts(fixed_classification(), Message("在吗", sent_at=NOON), Thresholds())
    assert group_of_order(facts, policy()) is None


def at(hour: int, minute: int = 0) -> dict[str, Any]:
    return {"sent_at": NOON.replace(hour=hour, minute=minute)}


def test_off_duty_goes_down_the_overflow_in_one_step_and_says_so() -> None:
    assert placed(to("after"), **at(21, 59)) == Placed(policy().groups["after"])
    found = placed(to("after"), **at(22))
    assert found.group.id == "night" and found.reasons == ("22:00 不在售后组服务时间(08:00–22:00),转值班组",)


def test_where_nobody_is_on_duty_it_waits_for_the_group() -> None:
    alone = {"a": {"name": "甲", "tier": "agent", "hours": "09:00-18:00"}}
    found = placed(to("a"), **at(20), policy=policy(groups=alone, fallback="a", by_order=None))
    assert found.group.id == "a" and "留给甲组上班后处理" in found.reasons[0]


@pytest.mark.parametrize(
    ("holder", "group", "safety", "hour", "expected"),
    [
        ("part", "boss", True, 12, "boss"),
        ("after", "boss", True, 12, "boss"),
        ("part", "boss", False, 12, "part"),  # no matter of safety
        ("part", "sale", True, 12, "part"),  # not the highest tier: from there it would move again
        ("part", "boss", True, 20, "part"),  # the expert is off duty, and the agents who stand in are no experts
        ("boss", "boss", True, 20, "boss"),
        ("boss", "sale", True, 12, "boss"),
        ("after", "sale", False, 3, "after"),  # whoever holds it keeps it at any hour
    ],
)
def test_who_holds_a_conversation_keeps_it(holder: str, group: str, safety: bool, hour: int, expected: str) -> None:
    found = placed(to(group), holder=holder, safety=safety, **at(hour))
    assert found.group.id == expected
    assert bool(found.reasons) == (holder == expected != group)


@pytest.mark.parametrize(
    ("holder", "held"), [(None, False), ("", False), ("bot", False), ("gone", False), ("part", True)]
)
def test_what_counts_as_held(holder: str | None, held: bool) -> None:
    assert (holder_of(Message("在吗", holder=holder), policy()) is not None) is held


def test_an_expert_who_comes_on_duty_late_gets_it_once() -> None:
    holder, path = "part", []
    for hour in (3, 20, 10, 20, 12):
        holder = placed(to("boss"), safety=True, holder=holder, **at(hour)).group.id
        path.append(holder)
    assert path == ["part", "part", "boss", "boss", "boss"]
