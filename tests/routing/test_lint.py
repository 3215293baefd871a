"""`broader` is sound: where it says yes, no message slips through; and it sees the plain cases."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.message import Message, Order
from fenzhen.routing.conditions import Thresholds, When
from fenzhen.routing.facts import Facts
from fenzhen.routing.lint import broader
from fenzhen.routing.matching import matches
from fenzhen.understanding.classification import fixed_classification


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {"topic": ("abuse",)}, True),
        ({"topic": ("abuse",)}, {}, False),
        ({"topic": ("abuse", "human")}, {"topic": ("human",), "emotion": ("angry",)}, True),
        ({"topic": ("abuse",)}, {"topic": ("abuse", "human")}, False),
        ({"min_confidence": 0.5}, {"min_confidence": 0.6}, True),
        ({"min_confidence": 0.6}, {"min_confidence": 0.5}, False),
        ({"min_confidence": 0.6}, {}, False),
        ({"max_chars": 20}, {"max_chars": 10}, True),
        ({"max_chars": 10}, {"max_chars": 20}, False),
        ({"max_chars": 10}, {}, False),
        ({"evasion": True}, {"evasion": False}, False),
        ({"below_threshold": ("topic",)}, {"below_threshold": ("topic", "in_scope")}, True),
        ({"below_threshold": ("topic", "in_scope")}, {"below_threshold": ("topic",)}, False),
        ({"above_threshold": ("topic",)}, {"topic": ("abuse",)}, False),
        ({"keywords": ("退",)}, {"keywords": ("退款", "退货")}, True),
        ({"keywords": ("退款",)}, {"keywords": ("退款", "换")}, False),
        ({"keywords": ("退款",)}, {"keywords": ("退",)}, False),
        ({"hours": "00:00-08:00"}, {"hours": "00:00-08:00"}, True),
        ({"pattern": "退"}, {"pattern": "换"}, False),
    ],
)
def test_broader(first: dict[str, Any], second: dict[str, Any], expected: bool) -> None:
    assert broader(When(**first), When(**second)) is expected


labels = st.sampled_from([(), ("abuse",), ("human",), ("abuse", "human")])
halves = st.sampled_from([None, 0.25, 0.5, 0.75])
whens = st.builds(
    When,
    topic=labels,
    also=labels,
    min_confidence=halves,
    max_confidence=halves,
    max_in_scope=halves,
    min_amount=st.sampled_from([None, 0.0, 100.0]),
    below_threshold=st.sampled_from([(), ("topic",), ("topic", "in_scope")]),
    above_threshold=st.sampled_from([(), ("needs_human",)]),
)
probabilities = st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.75, 1.0])


@given(
    whens,
    whens,
    st.sampled_from(["abuse", "human", "order.place"]),
    labels,
    probabilities,
    probabilities,
    probabilities,
)
def test_broader_is_sound(
    first: When, second: When, topic: str, also: tuple[str, ...], confidence: float, in_scope: float, needs: float
) -> None:
    said = fixed_classification(topic, also=also, confidence=confidence, in_scope=in_scope, needs_human=needs)
    facts = Facts(said, Message("x", order=Order(amount=100 * confidence)), Thresholds())
    if broader(first, second) and matches(second, facts):
        assert matches(first, facts)
