"""Message.from_dict: the request object in, frozen data out; what can't be read names field and expectation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.errors import RequestError
from fenzhen.message import MAX_TEXT, Message, Order, Product, Turn


def test_a_full_request_is_read() -> None:
    message = Message.from_dict(
        {
            "text": "还没到",
            "shop": "s1",
            "sent_at": "2026-11-11T20:00:00+08:00",
            "queue_length": 3,
            "buyer_tags": ["vip"],
            "history": [{"role": "buyer", "text": "到哪了"}, {"role": "bot", "text": ""}],
            "order": {"state": "shipped", "amount": 99, "paid_at": "2026-11-10T08:00:00Z", "product_ids": ["p1"]},
            "product": {"id": "p1", "price": 49.5},
            "holder": None,
        }
    )
    assert message.sent_at == datetime(2026, 11, 11, 12, tzinfo=UTC)
    assert message.history == (Turn("buyer", "到哪了"), Turn("bot", ""))
    assert message.order == Order(
        state="shipped", amount=99.0, paid_at=datetime(2026, 11, 10, 8, tzinfo=UTC), product_ids=("p1",)
    )
    assert message.product == Product("p1", price=49.5)
    assert message.holder is None


def test_arrival_is_the_time_where_none_was_sent() -> None:
    assert datetime.now(UTC) - Message.from_dict({"text": "在吗"}).sent_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("request_object", "field", "complaint"),
    [
        ({}, "text", "text is missing"),
        ({"text": "  \n"}, "text", "text is empty"),
        ({"text": "长" * (MAX_TEXT + 1)}, "text", "10,001 characters, the limit is 10,000"),
        ({"text": 5}, "text", "found 5, expected a string"),
        ({"text": "在吗", "shopp": "x"}, "shopp", "unknown field shopp; known are text, shop"),
        ({"text": "在吗", "sent_at": "yesterday"}, "sent_at", "expected an ISO 8601 time with offset"),
        ({"text": "在吗", "sent_at": "2026-11-11T20:00:00"}, "sent_at", "expected a time with its offset"),
        ({"text": "在吗", "sent_at": 5}, "sent_at", "expected an ISO 8601 time"),
        ({"text": "在吗", "history": "x"}, "history", "expected a list of turns"),
        ({"text": "在吗", "history": [1]}, "history[0].", "found int, expected an object"),
        ({"text": "在吗", "history": [{"role": "shop", "text": "x"}]}, "history[0].role", "expected one of buyer, bot"),
        ({"text": "在吗", "history": [{"role": "bot"}]}, "history[0].text", "is missing"),
        ({"text": "在吗", "order": {"state": "lost"}}, "order.state", "expected one of none, unpaid"),
        ({"text": "在吗", "order": {"amount": -1}}, "order.amount", "expected yuan from 0"),
        ({"text": "在吗", "order": {"amount": 10**400}}, "order.amount", "expected yuan from 0"),
        ({"text": "在吗", "order": {"amount": float("nan")}}, "order.amount", "expected yuan from 0"),
        ({"text": "在吗", "order": {"remote_area": "no"}}, "order.remote_area", "expected true or false"),
        ({"text": "在吗", "product": {}}, "product.id", "is missing"),
        ({"text": "在吗", "queue_length": 1.5}, "queue_length", "a whole number from 0"),
        ({"text": "在吗", "queue_length": True}, "queue_length", "expected a number"),
        ({"text": "在吗", "buyer_tags": ["vip", 3]}, "buyer_tags", "expected a list of strings"),
    ],
)
def test_what_cannot_be_read_names_field_and_expectation(
    request_object: dict[str, Any], field: str, complaint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        Message.from_dict(request_object)
    assert caught.value.field == field
    assert complaint in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Message.__slots__, "x"]), JSON, max_size=5) | JSON)
def test_any_json_is_read_or_refused_but_never_crashes(data: Any) -> None:
    try:
        said = Message.from_dict(data).text
    except RequestError as error:
        said = str(error)
    assert said.strip()
