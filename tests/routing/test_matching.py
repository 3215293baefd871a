"""Conditions on shop, product, order, queue, hours, words: at, above and below each bound; what is refused, where.

`test_conditions` has one case a condition; here are the edges, what `matched` says, and that shortlists lose no rule.
"""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.errors import PolicyError
from fenzhen.message import Message, Order, Product, Turn
from fenzhen.routing.conditions import Thresholds, read_when
from fenzhen.routing.facts import Facts
from fenzhen.routing.matching import brought, compile_when, matched, matches, named, possible
from fenzhen.routing.policies import Policies
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import fixed_classification

NOW = datetime(2026, 11, 11, 20, 0, tzinfo=timezone(timedelta(hours=8)))


def facts(topic: str = "logistics.track", **message: Any) -> Facts:
    return Facts(fixed_classification(topic), Message(**{"text": "在吗", "sent_at": NOW, **message}), Thresholds())


def holds(when: dict[str, Any], **message: Any) -> bool:
    return matches(read_when(when, "rule x, key when", default()), facts(**message))


def product(**fields: Any) -> dict[str, Any]:
    return {"product": Product("p1", **fields)}


def order(**fields: Any) -> dict[str, Any]:
    return {"order": Order(**fields)}


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("when", "bounds"),  # (what came in, whether the condition holds), from below to above
    [
        ({"shop": ["a", "b"]}, [({"shop": "b"}, True), ({"shop": "B"}, False), ({"shop": "c"}, False), ({}, False)]),
        ({"product": ["p1"]}, [(product(), True), (order(product_ids=("p1",)), True), (order(), False), ({}, False)]),
        ({"product_category": ["手机"]}, [(product(category="手机"), True), (product(category="手机壳"), False)]),
        ({"product_tags": ["爆款"]}, [(product(tags=("新", "爆款")), True), (product(tags=("爆款王",)), False)]),
        ({"min_price": 5}, [(product(price=4.99), False), (product(price=5.0), True), (product(), False), ({}, False)]),
        ({"max_price": 5}, [(product(price=0.0), True), (product(price=5.0), True), (product(price=5.01), False)]),
        ({"min_amount": 5}, [(order(amount=4.99), False), (order(amount=5.0), True), (order(), False), ({}, False)]),
        ({"max_amount": 5}, [(order(amount=5.0), True), (order(amount=5.01), False), (order(), False)]),
        (
            {"min_order_days": 15},
            [
                (order(signed_at=ago(days=15, seconds=-1)), False),
                (order(signed_at=ago(days=15)), True),
                (order(paid_at=ago(days=16), signed_at=ago(days=14)), False),
                (order(paid_at=ago(days=16)), True),
                (order(), False),
            ],
        ),
        (
            {"max_order_days": 0.5},
            [
                (order(signed_at=ago(hours=12)), True),
                (order(signed_at=ago(hours=12, seconds=1)), False),
                (order(signed_at=ago(hours=-1)), False),  # a time to come says nothing
            ],
        ),
        ({"stall": ["refund"]}, [(order(state="refunding", refund_requested_at=ago(hours=36)), True)]),
        ({"stall": ["no_scan"]}, [(order(state="refunding", refund_requested_at=ago(hours=36)), False), ({}, False)]),
        ({"hours": "20:00-20:01"}, [({"sent_at": ago(minutes=1)}, False), ({}, True)]),
        ({"hours": "20:00-20:01"}, [({"sent_at": ago(minutes=-1)}, False), ({"sent_at": NOW.astimezone(UTC)}, True)]),
        ({"hours": "22:00-06:00"}, [({"sent_at": ago(hours=h)}, h in (-2, -9)) for h in (1, 0, -2, -9, -10, -11)]),
        ({"hours": "00:00-24:00"}, [({"sent_at": ago(hours=h)}, True) for h in range(24)]),
        ({"min_queue": 5}, [({"queue_length": n}, n >= 5) for n in (0, 4, 5, 6)]),
        ({"max_queue": 5}, [({"queue_length": n}, n <= 5) for n in (0, 4, 5, 6)]),
        ({"min_queue": 1}, [({}, False)]),
        ({"keywords": ["ＶＩＰ", "轉人工"]}, [({"text": "我是vip"}, True), ({"text": "转 人工"}, False)]),
        ({"keywords": ["转人工"]}, [({"text": "轉人工!"}, True), ({"text": "转人"}, False)]),
        ({"pattern": "VIP\\d"}, [({"text": "vip3"}, True), ({"text": "ＶＩＰ３"}, True), ({"text": "vip"}, False)]),
        ({"pattern": "^补.*票$"}, [({"text": "补开发票"}, True), ({"text": "补开发票吗"}, False)]),
        ({"intent": ["logistics", "order"]}, [({"topic": "order.place"}, True), ({"topic": "abuse"}, False)]),
    ],
)
def test_bounds(when: dict[str, Any], bounds: list[tuple[dict[str, Any], bool]]) -> None:
    assert [holds(when, **came) for came, _ in bounds] == [expected for _, expected in bounds]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("shop: []", ["key when.shop", "found []", "leave the key out"]),
        ("product: 2201", ["key when.product", "found 2201", "numbers in quotes"]),
        ("product_categry: [手机]", ["'product_categry'", "nearest known: product_category"]),
        ("product_tags: [1]", ["key when.product_tags", "a list of texts"]),
        ("min_price: -1", ["key when.min_price", "found -1", "a number from 0"]),
        ("max_price: 免费", ["key when.max_price", "'免费'"]),
        (f"min_amount: 1{'0' * 30}e300", ["key when.min_amount", "a number from 0"]),
        (f"max_chars: 1{'0' * 5000}", ["key when.max_chars", "a number of 5001 characters"]),
        ("{min_amount: 9, max_amount: 1}", ["key when", "min_amount 9", "never matches"]),
        ("min_order_days: 366", ["key when.min_order_days", "0 to 365"]),
        ("{min_order_days: 9, max_order_days: 1}", ["min_order_days 9", "never matches"]),
        ("stall: [refunds]", ["key when.stall", "'refunds'", "nearest: refund"]),
        ("hours: 22点到8点", ["key when.hours", "08:00-24:00"]),
        ('hours: "08:00-08:00"', ["key when.hours", "round the clock"]),
        ('hours: "24:00-08:00"', ["key when.hours"]),
        ("min_queue: 0", ["key when.min_queue", "a whole number from 1"]),
        ("max_queue: 2.5", ["key when.max_queue", "a whole number"]),
        ("{min_queue: 9, max_queue: 1}", ["min_queue 9", "never matches"]),
        ('keywords: ["\\u200b"]', ["key when.keywords", "can be seen"]),
        ("keywords: []", ["key when.keywords", "found []"]),
        ("pattern: '补发(?!票)'", ["key when.pattern", "RE2", "no look-around"]),
        ("pattern: '('", ["key when.pattern", "RE2"]),
        ("pattern: ''", ["key when.pattern", "1 to 1000 characters"]),
        ("pattern: '發票'", ["key when.pattern", "found '發'", "write 发"]),
        ("pattern: '能退吗？'", ["key when.pattern", "found '？'", r"write \? for ？"]),
        ("intent: [物流]", ["key when.intent", "'物流'", "one of"]),
    ],
)
def test_what_is_refused_names_file_line_rule_and_key(tmp_path: Path, condition: str, words: list[str]) -> None:
    when = condition if condition.startswith("{") else f"{{{condition}}}"
    text = f"rules:\n  - id: track\n    when: {{topic: [logistics.track], {when[1:-1]}}}\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Policies.load(None, tmp_path)
    said = str(caught.value)
    assert "s.yaml" in said and "line 3" in said
    for word in ["rule track", *words]:
        assert word in said


def test_matched_says_what_the_message_had_and_nothing_that_a_pattern_caught() -> None:
    when = {
        "keywords": ["退", "换"],
        "pattern": "d\\d{4}",
        "hours": "08:00-22:00",
        "min_amount": 5,
        "stall": ["refund"],
    }
    read = read_when({**when, "product": ["p9", "p1"], "below_threshold": ["topic"]}, "rule x, key when", default())
    said = fixed_classification(confidence=0.123456)
    order = Order(amount=9.0, state="refunding", refund_requested_at=ago(hours=40), product_ids=("p0", "p1"))
    message = Message("退到D1380栋", sent_at=NOW, order=order)
    seen = Facts(said, message, Thresholds())
    assert matches(read, seen)
    assert matched(read, named(read), seen) == {
        "keywords": ["退"],
        "pattern": "d\\d{4}",
        "hours": "20:00",
        "min_amount": 9.0,
        "stall": ["refund"],
        "product": ["p1"],
        "below_threshold": {"topic": 0.1235},
    }


maybe: dict[str, st.SearchStrategy[Any]] = {
    "order": st.none() | st.builds(Order, amount=st.sampled_from([None, 9.0]), paid_at=st.sampled_from([None, NOW])),
    "product": st.none() | st.builds(Product, st.just("p1"), price=st.sampled_from([None, 9.0])),
    "queue_length": st.sampled_from([None, 0, 9]),
    "buyer_tags": st.sampled_from([(), ("VIP",)]),
    "history": st.sampled_from([(), (Turn("buyer", "什么时候发货"),) * 2]),
}
ASKED: dict[str, Any] = {
    "min_amount": 0,
    "max_price": 9,
    "min_order_days": 0,
    "min_queue": 1,
    "max_queue": 9,
    "buyer_tags": ["VIP"],
    "min_repeats": 1,
    "min_unanswered": 1,
    "product": ["p1"],
    "order_state": ["none"],
    "max_chars": 9,
}


@given(st.fixed_dictionaries(maybe), st.sets(st.sampled_from(sorted(ASKED)), max_size=3))
def test_a_shortlist_loses_no_rule_that_could_match(came: dict[str, Any], names: set[str]) -> None:
    when = read_when({name: ASKED[name] for name in names}, "rule x, key when", default())
    seen = facts(text="什么时候发货", **came)
    assert not compile_when(when)(seen) or possible(named(when), brought(seen.message))
