"""What rows mean: roles, times, types of cells, and history within bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fenzhen.batch.rows import HISTORY_TURNS, RowReader, Sessions, misspelt
from fenzhen.errors import RequestError
from fenzhen.message import CHINA, Message, Turn

COLUMNS = ("session", "sent_at", "role", "text", "shop")


def one(**values: Any) -> Message:
    message = RowReader(values).read(values)
    assert message is not None
    return message


def test_cells_of_csv_become_typed_fields() -> None:
    message = one(
        text=" 多少钱 ",
        shop="茶叶店",
        session=" s1 ",
        buyer_tags="vip;老客",
        queue_length="3",
        order_state="paid",
        order_amount="12.50",
        order_remote_area="是",
        order_paid_at="2026-11-11T20:00:00+08:00",
        order_product_ids='["a", "b"]',
        product_price="9",
        channel="",
        other="x",
    )
    assert (message.text, message.session, message.channel) == (" 多少钱 ", "s1", None)
    assert (message.buyer_tags, message.queue_length) == (("vip", "老客"), 3)
    assert message.order is not None and message.product is not None
    assert (message.order.amount, message.order.remote_area, message.order.state) == (12.5, True, "paid")
    assert message.order.product_ids == ("a", "b")
    assert message.order.paid_at == datetime(2026, 11, 11, 12, tzinfo=UTC)
    assert message.product.price == 9.0


def test_numbers_of_json_and_parquet_serve_as_ids() -> None:
    message = one(text="在吗", session=17, buyer=12.0, shop=float("nan"), queue_length=2.0)
    assert (message.session, message.buyer, message.shop, message.queue_length) == ("17", "12", None, 2)


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("2026-11-11T20:05:00+08:00", 20),
        ("2026-11-11T12:05:00Z", 20),
        ("2026-11-11 20:05:00", 20),
        ("2026/11/11 20:05", 20),
        ("2026/1/2 9:05:01", 9),
        (datetime(2026, 11, 11, 20, 5), 20),
    ],
)
def test_times_without_offset_are_beijing_time(cell: object, hour: int) -> None:
    assert one(text="几点发货", sent_at=cell).sent_at.astimezone(CHINA).hour == hour


def test_missing_time_is_the_time_of_the_run_and_counted() -> None:
    now = datetime(2026, 11, 11, tzinfo=UTC)
    reader = RowReader(("text", "sent_at"), now=now)
    first = reader.read({"text": "在吗", "sent_at": ""})
    second = reader.read({"text": "在吗", "sent_at": "2026-11-11 20:00:00"})
    assert first is not None and first.sent_at == now
    assert second is not None
    assert (reader.missing_times, reader.naive_times) == (1, 1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"text": "  "}, "text is empty"),
        ({"text": None}, "text is empty"),
        ({"text": "x" * 10_001}, "10,001 characters"),
        ({"text": 5}, "text: found 5, expected a string"),
        ({"text": "x", "role": "买家"}, "role: found '买家', expected one of buyer, bot, agent"),
        ({"text": "x", "role": ""}, "role: found ''"),
        ({"text": "x", "sent_at": "昨天晚上八点"}, "sent_at: found '昨天晚上八点'"),
        ({"text": "x", "sent_at": "2026-11-11"}, "sent_at: found '2026-11-11', expected a time like"),
        ({"text": "x", "sent_at": "2026/13/41 20:00"}, "sent_at: found"),
        ({"text": "x", "sent_at": 1_700_000_000}, "sent_at: found 1700000000"),
        ({"text": "x", "order_amount": "九块"}, "order_amount: found '九块', expected a number"),
        ({"text": "x", "order_state": "lost"}, "order.state: found 'lost', expected one of none"),
        ({"text": "x", "product_tags": "[1"}, "product_tags: found '[1', expected a JSON list"),
        ({"text": "x", "order_remote_area": "perhaps"}, "order.remote_area: found 'perhaps'"),
    ],
)
def test_bad_rows_say_why(values: dict[str, object], says: str) -> None:
    with pytest.raises(RequestError) as caught:
        RowReader(values).read(values)
    assert says in str(caught.value)


def test_history_is_what_stands_above_in_the_session() -> None:
    reader = RowReader(COLUMNS)

    def read(session: str, role: str, text: str, minute: int, shop: str = "a") -> Message | None:
        at = f"2026-11-11T20:{minute:02}:00+08:00"
        return reader.read({"session": session, "sent_at": at, "role": role, "text": text, "shop": shop})

    assert read("1", "buyer", "在吗", 0) is not None
    read("2", "buyer", "别的会话", 1)
    read("1", "buyer", "别的店", 1, shop="b")
    assert read("1", "agent", "在的亲", 2) is None
    assert read("1", "bot", "", 3) is None
    message = read("1", "buyer", "什么时候发货", 4)
    assert message is not None
    assert [(t.role, t.text) for t in message.history] == [("buyer", "在吗"), ("agent", "在的亲")]
    assert message.history[0].at == message.sent_at - timedelta(minutes=4)
    assert reader.out_of_order == 0
    read("1", "buyer", "迟到的行", 1)
    assert reader.out_of_order == 1


def test_rejected_rows_and_rows_without_session_are_no_history() -> None:
    reader = RowReader(COLUMNS)
    row = {"session": "1", "sent_at": "", "role": "buyer", "shop": ""}
    with pytest.raises(RequestError):
        reader.read({**row, "text": "坏时间", "sent_at": "坏"})
    with pytest.raises(RequestError):
        reader.read({**row, "text": "x" * 10_001})
    reader.read({**row, "text": "没有会话", "session": ""})
    message = reader.read({**row, "text": "好"})
    assert message is not None and message.history == ()


def test_without_a_role_column_every_row_is_a_buyers() -> None:
    assert one(text="在吗").text == "在吗"


def test_sessions_stay_within_their_bounds() -> None:
    sessions = Sessions(max_sessions=2, max_chars=100)
    for n in range(10):
        sessions.add(("a", "1"), Turn("buyer", str(n)))
    assert [t.text for t in sessions.turns(("a", "1"))] == [str(n) for n in range(10 - HISTORY_TURNS, 10)]
    sessions.add(("a", "2"), Turn("buyer", "x"))
    sessions.add(("a", "1"), Turn("buyer", "y"))
    sessions.add(("a", "3"), Turn("buyer", "z"))
    assert sessions.turns(("a", "2")) == ()
    assert sessions.turns(("a", "1")) != ()
    sessions.add(("a", "3"), Turn("buyer", "z" * 200))
    assert sessions.turns(("a", "1")) == ()


def test_columns_that_look_misspelt() -> None:
    assert misspelt(["text", "order_stat", "sent_time", "seesion", "remark"]) == [
        ("order_stat", "order_state"),
        ("seesion", "session"),
    ]
