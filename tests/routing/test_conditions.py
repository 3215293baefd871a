"""Each condition at, above and below its bound; labels and intents."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from fenzhen.errors import PolicyError
from fenzhen.message import Message, Order, Product, Turn
from fenzhen.routing.conditions import Thresholds, read_when
from fenzhen.routing.facts import Facts
from fenzhen.routing.matching import matches
from fenzhen.taxonomy import default
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import fixed_classification

NOW = datetime(2026, 11, 11, 20, 0, tzinfo=timezone(timedelta(hours=8)))


def days(ago: float) -> datetime:
    return NOW - timedelta(days=ago)


QUIET = Order(state="shipped", last_scan_at=days(2))
EVASION = (Evasion("s.b", "傻逼", "split"),)
BUYER = Turn("buyer", "什么时候发货")
LIMITS = Thresholds(0.6, 0.5, 0.5, {"logistics.track": 0.9})


def holds(
    when: dict[str, Any], topic: str = "logistics.track", said: dict[str, Any] | None = None, **message: Any
) -> bool:
    message = {"text": "什么时候发货", "sent_at": NOW, **message}
    facts = Facts(fixed_classification(topic, **(said or {})), Message(**message), LIMITS)
    return matches(read_when(when, "rule x, key when", default()), facts)


@pytest.mark.parametrize(
    ("when", "matching", "not_matching"),
    [
        ({"topic": ["logistics.track"]}, {"topic": "logistics.track"}, {"topic": "logistics.method"}),
        ({"topic": "logistics.*"}, {"topic": "logistics.method"}, {"topic": "order.place"}),
        ({"topic": ["complaint"]}, {"topic": "complaint.threat"}, {"topic": "abuse"}),
        ({"also": ["abuse", "human"]}, {"said": {"also": ("order.place", "human")}}, {"said": {"also": ()}}),
        ({"emotion": ["angry"]}, {"said": {"emotion": "angry"}}, {"said": {"emotion": "anxious"}}),
        ({"min_confidence": 0.7}, {"said": {"confidence": 0.7}}, {"said": {"confidence": 0.69}}),
        ({"max_confidence": 0.7}, {"said": {"confidence": 0.7}}, {"said": {"confidence": 0.71}}),
        ({"min_emotion_score": 0.4}, {"said": {"emotion_score": 0.4}}, {"said": {"emotion_score": 0.3}}),
        ({"min_needs_human": 0.4}, {"said": {"needs_human": 0.4}}, {"said": {"needs_human": 0.3}}),
        ({"max_in_scope": 0.4}, {"said": {"in_scope": 0.4}}, {"said": {"in_scope": 0.5}}),
        ({"evasion": True}, {"said": {"evasions": EVASION}}, {}),
        ({"evasion": False}, {}, {"said": {"evasions": EVASION}}),
        ({"channel": ["douyin"]}, {"channel": "douyin"}, {}),
        ({"buyer_tags": ["VIP"]}, {"buyer_tags": ("新客", "VIP")}, {"buyer_tags": ("新客",)}),
        ({"order_state": ["none"]}, {"order": Order()}, {}),
        ({"order_state": ["paid"]}, {"order": Order(state="paid")}, {"order": Order(state="shipped")}),
        ({"holder": ["expert"]}, {"holder": "expert"}, {}),
        ({"min_repeats": 1}, {"history": (BUYER,)}, {"history": (Turn("buyer", "能开票吗"),)}),
        ({"min_unanswered": 2}, {"history": (BUYER, BUYER)}, {"history": (BUYER, Turn("bot", "好"))}),
        ({"min_amount": 100}, {"order": Order(amount=100.0)}, {"order": Order(amount=99.9)}),
        ({"min_amount": 0}, {"order": Order(amount=0.0)}, {"order": Order()}),
        ({"intent": ["logistics"]}, {"topic": "logistics.track"}, {"topic": "abuse", "said": {"intent": "abuse"}}),
        ({"shop": ["a"]}, {"shop": "a"}, {}),
        ({"product": ["p1"]}, {"product": Product("p1")}, {"product": Product("p2")}),
        ({"product": ["p1"]}, {"order": Order(product_ids=("p0", "p1"))}, {"order": Order()}),
        ({"product_category": ["手机"]}, {"product": Product("p", "手机")}, {"product": Product("p")}),
        ({"product_tags": ["爆款"]}, {"product": Product("p", tags=("新", "爆款"))}, {}),
        ({"min_price": 100}, {"product": Product("p", price=100.0)}, {"product": Product("p", price=99.9)}),
        ({"max_price": 100}, {"product": Product("p", price=100.0)}, {"product": Product("p", price=100.1)}),
        ({"max_price": 100}, {"product": Product("p", price=0.0)}, {"product": Product("p")}),
        ({"max_amount": 100}, {"order": Order(amount=100.0)}, {"order": Order(amount=100.1)}),
        ({"min_order_days": 2}, {"order": Order(signed_at=days(2))}, {"order": Order(signed_at=days(1.99))}),
        ({"max_order_days": 2}, {"order": Order(paid_at=days(2))}, {"order": Order(paid_at=days(2.01))}),
        ({"min_order_days": 0}, {"order": Order(paid_at=days(0))}, {"order": Order(paid_at=days(-1))}),
        ({"max_order_days": 5}, {"order": Order(signed_at=days(4), paid_at=days(9))}, {"order": Order()}),
        ({"min_queue": 5}, {"queue_length": 5}, {"queue_length": 4}),
        ({"max_queue": 5}, {"queue_length": 0}, {"queue_length": 6}),
        ({"max_queue": 5}, {"queue_length": 5}, {}),
        ({"hours": "20:00-22:00"}, {"sent_at": NOW}, {"sent_at": NOW + timedelta(hours=2)}),
        ({"hours": "22:00-21:00"}, {"sent_at": NOW}, {"sent_at": NOW + timedelta(hours=1)}),
        ({"stall": ["no_scan"]}, {"order": QUIET}, {"order": Order(state="shipped", last_scan_at=days(1.9))}),
        ({"stall": "any"}, {"order": QUIET}, {"order": Order(state="signed", last_scan_at=days(9))}),
        ({"stall": ["refund"]}, {"order": Order(state="refunding", refund_requested_at=days(2))}, {"order": QUIET}),
        ({"keywords": ["ＺＺ", "發貨"]}, {}, {"text": "退货"}),
        ({"pattern": "时候.*货$"}, {}, {"text": "发货的时候"}),
        ({"max_chars": 6}, {}, {}),
        ({"below_threshold": "topic"}, {"said": {"confidence": 0.89}}, {"said": {"confidence": 0.9}}),
        ({"below_threshold": "topic"}, {"topic": "abuse", "said": {"confidence": 0.59}}, {"topic": "abuse"}),
        ({"above_threshold": "topic"}, {"said": {"confidence": 0.9}}, {"said": {"confidence": 0.89}}),
        ({"below_threshold": "in_scope"}, {"said": {"in_scope": 0.49}}, {"said": {"in_scope": 0.5}}),
        ({"above_threshold": ["needs_human"]}, {"said": {"needs_human": 0.5}}, {"said": {"needs_human": 0.49}}),
    ],
)
def test_condition(when: dict[str, Any], matching: dict[str, Any], not_matching: dict[str, Any]) -> None:
    assert holds(when, **matching)
    if when == {"max_chars": 6}:
        assert not holds({"max_chars": 5})
    else:
        assert not holds(when, **not_matching)


def test_all_conditions_must_hold_and_none_holds_always() -> None:
    assert holds({})
    assert not holds({"topic": ["logistics.track"], "emotion": ["angry"]})


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (
            {"topic": ["logistic.trak"]},
            ["rule x, key when.topic", "'logistic.trak'", "nearest known", "logistics.track"],
        ),
        ({"also": ["complain.*"]}, ["when.also", "complaint.*"]),
        ({"emotion": ["furious"]}, ["when.emotion", "'furious'", "angry"]),
        ({"order_state": ["payed"]}, ["when.order_state", "paid"]),
        ({"topics": ["abuse"]}, ["'topics'", "unknown key", "nearest known: topic"]),
        ({"topic": []}, ["when.topic", "found []", "leave the key out"]),
        ({"topic": [3]}, ["when.topic", "a list of texts"]),
        ({"min_confidence": 60}, ["when.min_confidence", "found 60", "0 to 1", "0.6"]),
        ({"min_confidence": True}, ["found True", "a number"]),
        ({"min_confidence": float("nan")}, ["found nan", "a number"]),
        ({"min_amount": -1}, ["when.min_amount", "a number from 0"]),
        ({"min_repeats": 0}, ["when.min_repeats", "a whole number from 1"]),
        ({"max_chars": 2.5}, ["when.max_chars", "a whole number"]),
        ({"evasion": "yes"}, ["when.evasion", "'yes'", "true or false"]),
        ({"below_threshold": "emotion"}, ["when.below_threshold", "topic, in_scope, needs_human"]),
        ({"below_threshold": "topic", "above_threshold": "topic"}, ["not both", "never matches"]),
        ({"min_confidence": 0.8, "max_confidence": 0.2}, ["min <= max", "never matches"]),
        ({"pattern": "(?=a)"}, ["when.pattern", "RE2", "no look-around"]),
        ({"pattern": "a" * 1001}, ["when.pattern", "1 to 1000 characters"]),
        ({"hours": "8点"}, ["when.hours", "08:00-24:00"]),
        ({"stall": ["no_scam"]}, ["when.stall", "'no_scam'", "no_scan"]),
        ({"intent": ["presales"]}, ["when.intent", "presale"]),
        ({"min_order_days": 400}, ["when.min_order_days", "0 to 365"]),
        ({"min_price": 9, "max_price": 1}, ["min <= max", "never matches"]),
        ({"topic": None}, ["when.topic", "found nothing", "leave the key out"]),
        ("topic", ["rule x, key when", "found 'topic'", "a mapping"]),
    ],
)
def test_what_is_refused_and_what_it_says(when: Any, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        read_when(when, "rule x, key when", default())
    for word in words:
        assert word in str(caught.value)
