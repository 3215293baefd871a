"""What holds for every message under the shipped policy and its shops: total, monotone in safety, one move."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.message import ORDER_STATES, ROLES, Message, Order, Product, Turn
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import PRIORITIES, Route
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, fixed_classification

SHOPS = Path(__file__).parents[2] / "serving" / "shops"
LOADED = Policies.load(None, SHOPS)
POLICIES = [LOADED.default, *LOADED.overlays.values()]
TAXONOMY = default()

probability = st.sampled_from([0.0, 0.2, 0.25, 0.36, 0.45, 0.5, 0.6, 0.61, 0.9, 1.0])
moment = st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 20), timezones=st.just(UTC))
maybe = st.none() | moment
topics = st.sampled_from(TAXONOMY.topic_ids)
orders = st.builds(
    Order,
    state=st.sampled_from(ORDER_STATES),
    paid_at=maybe,
    ship_by=maybe,
    shipped_at=maybe,
    collected_at=maybe,
    last_scan_at=maybe,
    arrived_at=maybe,
    signed_at=maybe,
    refund_requested_at=maybe,
    amount=st.sampled_from([None, 0.0, 999.0, 1000.0, 8000.0]),
    remote_area=st.booleans(),
)
products = st.builds(
    Product,
    id=st.just("p1"),
    category=st.sampled_from([None, "手机", "耳机"]),
    price=st.sampled_from([None, 10.0, 6000.0]),
    tags=st.sampled_from([(), ("爆款",)]),
)
messages = st.builds(
    Message,
    text=st.sampled_from(["在吗", "快递到哪了", "转人工", "改一下地址", "x" * 200]),
    channel=st.sampled_from([None, "douyin", "wechat"]),
    sent_at=moment,
    holder=st.sampled_from([None, "", "bot", "nowhere", *LOADED.default.groups]),
    queue_length=st.sampled_from([None, 0, 60, 500]),
    buyer_tags=st.sampled_from([(), ("VIP",)]),
    history=st.lists(
        st.builds(Turn, st.sampled_from(ROLES), st.sampled_from(["快递到哪了", "好的", "?"])), max_size=4
    ).map(tuple),
    order=st.none() | orders,
    product=st.none() | products,
)
classifications = st.builds(
    fixed_classification,
    topic=topics,
    confidence=probability,
    emotion=st.sampled_from(TAXONOMY.emotion_ids),
    emotion_score=probability,
    needs_human=probability,
    in_scope=probability,
    also=st.lists(topics, max_size=2, unique=True).map(tuple),
)
policies = st.sampled_from(POLICIES)


def urgency(route: Route) -> int:
    """Greater is more urgent; a bot answer is below every handoff."""
    return (route.action == "handoff") * 10 + len(PRIORITIES) - PRIORITIES.index(route.priority)


@settings(max_examples=300, deadline=None)
@given(classifications, messages, policies)
def test_total_and_deterministic(said: Classification, message: Message, policy: Policy) -> None:
    route = decide(said, message, policy, search=lambda: None, asked_before=lambda: 1)
    assert route == decide(said, message, policy, search=lambda: None, asked_before=lambda: 1)
    assert (route.group in policy.groups) == (route.action == "handoff")
    assert route.rule in {rule.id for rule in policy.rules} | {"default"}
    assert route.reasons and all(route.reasons)


worse = st.sampled_from(["angry", "abuse", "complaint.service", "complaint.threat", "human", "also", "needs_human"])


@settings(max_examples=600, deadline=None)
@given(classifications, messages, policies, worse)
def test_monotone_in_safety(said: Classification, message: Message, policy: Policy, how: str) -> None:
    if how == "angry":
        grave = replace(said, emotion="angry", emotion_score=0.9)
    elif how == "also":
        grave = replace(said, also=("complaint.service",))
    elif how == "needs_human":
        grave = replace(said, needs_human=1.0)
    else:
        grave = replace(said, topic=how, intent=how.split(".")[0], confidence=0.9, in_scope=1.0)
    before, after = decide(said, message, policy), decide(grave, message, policy)
    assert after.action == "handoff" or before.action != "handoff"
    if how in ("abuse", "complaint.threat"):
        assert after.priority == "urgent" and after.action == "handoff"
    elif how in ("complaint.service", "human", "also"):
        assert urgency(after) >= min(urgency(before), 13)  # a person at once, priority high at least
    else:
        assert urgency(after) >= urgency(before)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(classifications, messages), min_size=2, max_size=7), policies)
def test_people_hand_a_conversation_on_once_at_most(
    turns: list[tuple[Classification, Message]], policy: Policy
) -> None:
    holder, moves = None, 0
    for number, (said, message) in enumerate(turns):
        sent = datetime(2026, 11, 11, 4, tzinfo=UTC) + timedelta(minutes=number)  # noon in China: all are on duty
        route = decide(said, replace(message, holder=holder, sent_at=sent), policy)
        if route.action == "handoff":
            moves += holder is not None and route.group != holder
            holder = route.group
        else:
            assert holder is None
    assert moves <= 1


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.name for policy in POLICIES])
@pytest.mark.parametrize("topic", TAXONOMY.safety)
def test_safety_topics_reach_people_in_every_mode_and_hour(policy: Policy, topic: str) -> None:
    for hour in range(24):
        for channel in (None, "douyin"):
            sent = datetime(2026, 11, 11, hour, 45, tzinfo=UTC)
            message = Message("说法", sent_at=sent, channel=channel, queue_length=500)
            assert decide(fixed_classification(topic), message, policy).action == "handoff"
