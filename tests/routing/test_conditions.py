"""Each condition at, above and below its bound; labels and intents."""

from typing import Any

import pytest

from fenzhen.errors import PolicyError
from fenzhen.message import Message, Order, Turn
from fenzhen.routing.conditions import Thresholds, read_when
from fenzhen.routing.matching import Facts, matches
from fenzhen.taxonomy import default
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import fixed_classification

EVASION = (Evasion("s.b", "傻逼", "split"),)
BUYER = Turn("buyer", "什么时候发货")
LIMITS = Thresholds(0.6, 0.5, 0.5, {"logistics.track": 0.9})


def holds(
    when: dict[str, Any], topic: str = "logistics.track", said: dict[str, Any] | None = None, **message: Any
) -> bool:
    facts = Facts(fixed_classification(topic, **(said or {})), Message("什么时候发货", **message), LIMITS)
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
        ("topic", ["rule x, key when", "found 'topic'", "a mapping"]),
    ],
)
def test_what_is_refused_and_what_it_says(when: Any, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        read_when(when, "rule x, key when", default())
    for word in words:
        assert word in str(caught.value)
