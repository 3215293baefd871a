"""handoff_note: what it says, in which order, within 120 characters, without personal data. All numbers are made up."""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.message import ORDER_STATES, ROLES, Message, Order, Turn
from fenzhen.routing.handoff_note import BETWEEN, LONGEST, handoff_note
from fenzhen.taxonomy import Label, Taxonomy, default
from fenzhen.understanding.classification import Classification, fixed_classification

NOW = "2026-11-11T20:15:00+08:00"


def said(topic: str = "aftersale.refund", **changes: object) -> Classification:
    return fixed_classification(topic, **changes)


def note(text: str = "退钱", classification: Classification | None = None, **sent: Any) -> str:
    named = {key: sent.pop(key) for key in ("group_name", "rule_note") if key in sent}
    message = Message.from_dict({"text": text, "sent_at": NOW, **sent})
    return handoff_note(message, classification or said(), default(), **named)


def turns(*said: str) -> list[dict[str, str]]:
    """ "b:text" is a buyer's turn, "r:" the robot's, "a:" an agent's."""
    roles = {"b": "buyer", "r": "bot", "a": "agent"}
    return [{"role": roles[one[0]], "text": one[2:]} for one in said]


def test_all_parts_in_their_order() -> None:
    found = note(
        "黑色XL的退款什么时候到",
        said(also=("order.invoice",), emotion="angry"),
        order={"id": "2026110800014471", "state": "signed", "signed_at": "2026-11-08T09:00:00+08:00", "amount": 299},
        history=turns("b:退款什么时候到", "r:1-3天", "b:在吗", "r:在的"),
        group_name="售后",
        rule_note="先安抚",
    )
    assert found == (
        "要:退款;另问:发票 | 愤怒 | 订单…4471 已签收3天 ¥299 | 提到:黑色 XL | 已试:机器人答2次,同样问过1次"
        " | 组:售后 | 提示:先安抚"
    )


def test_empty_parts_are_left_out() -> None:
    assert note() == "要:退款"
    assert handoff_note(Message(text="退钱"), None, default()) == ""
    assert handoff_note(Message(text="退钱"), None, default(), rule_note="看一眼") == "提示:看一眼"


def test_wants() -> None:
    assert note(classification=said(confidence=0.59)) == "可能要:退款"
    assert note(classification=said(also=("order.invoice", "human"))) == "要:退款;另问:发票、转人工"


ORDERS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"state": "none"}, ""),
    ({"state": "unpaid"}, "订单 未付款"),
    ({"state": "paid"}, "订单 已付款"),
    ({"state": "paid", "paid_at": "2026-11-11T00:00:00+08:00"}, "订单 今天付款"),
    ({"state": "paid", "paid_at": "2026-11-10T23:59:00+08:00"}, "订单 已付款1天"),
    ({"state": "paid", "paid_at": "2026-11-10T15:59:00+00:00"}, "订单 已付款1天"),
    ({"state": "paid", "paid_at": "2026-11-10T16:00:00+00:00"}, "订单 今天付款"),
    ({"state": "paid", "paid_at": "2026-12-01T00:00:00+08:00"}, "订单 已付款"),
    ({"state": "shipped", "shipped_at": "2026-11-09T10:00:00+08:00"}, "订单 已发货2天"),
    ({"state": "shipped", "last_scan_at": "2026-11-08T10:00:00+08:00"}, "订单 已发货 物流3天没更新"),
    ({"state": "shipped", "last_scan_at": "2026-11-10T10:00:00+08:00"}, "订单 已发货"),
    ({"state": "signed", "last_scan_at": "2026-11-01T10:00:00+08:00"}, "订单 已签收"),
    ({"state": "refunding", "refund_requested_at": "2026-11-04T10:00:00+08:00"}, "订单 已申请退款7天"),
    ({"state": "closed", "id": "A-77"}, "订单…A77 已关闭"),
    ({"id": "13800138000"}, "订单…8000"),
    ({"amount": 0.5}, "订单 ¥0.5"),
    ({"amount": 1280.0}, "订单 ¥1280"),
    ({"amount": 10**12}, "订单 ¥1000000000000"),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS, ids=lambda value: str(value)[:40])
def test_order(order: dict[str, Any], expected: str) -> None:
    assert note(order=order) == BETWEEN.join(filter(None, ["要:退款", expected]))


TRIED = [
    (("b:在吗", "r:在的"), "机器人答1次"),
    (("r:您好", "a:您好", "b:退钱给我吧"), ""),
    (("a:您好", "r:您好", "b:还在吗"), "机器人答1次"),
    (("b:什么时候退钱给我", "b:在吗"), "同样问过1次,连发2条没人回"),
    (("b:什么时候退钱给我", "a:好的"), ""),
]


@pytest.mark.parametrize(("history", "expected"), TRIED)
def test_tried(history: Iterable[str], expected: str) -> None:
    found = note("什么时候退钱给我", history=turns(*history))
    assert found == BETWEEN.join(["要:退款", *([f"已试:{expected}"] if expected else [])])


def test_mentions_do_not_repeat_the_order() -> None:
    found = note("订单2026110800014471的299元退我,黑色", order={"id": "2026110800014471", "amount": 299})
    assert found == "要:退款 | 订单…4471 ¥299 | 提到:黑色"


def test_somebodys_words_are_one_short_masked_line() -> None:
    found = note(rule_note="打13800138000\n先|安抚" + "很" * 50, group_name="总仓\t值班组,电话010-62345678,夜里")
    assert found.count(BETWEEN) == 2 and "\n" not in found and "138" not in found and "6234" not in found
    assert found.endswith("…") and "打[手机号] 先/安抚很" in found


def test_the_least_missed_parts_go_first() -> None:
    taxonomy = Taxonomy(
        tuple(Label(f"t{n}", f"很长很长的主题名称第{n}号再加字") for n in range(3)),
        tuple(Label(f"t{n}", "意图") for n in range(3)),
        default().emotions,
    )
    message = Message(
        text="雾霾蓝37码身高175cm体重130斤",
        sent_at=datetime.fromisoformat(NOW),
        history=(Turn("bot", "您好"), Turn("buyer", "雾霾蓝37码"), Turn("buyer", "雾霾蓝37码")),
        order=Order(id="9" * 20, state="shipped", last_scan_at=datetime(2020, 1, 1, tzinfo=UTC), amount=123456.78),
    )
    classification = said("t0", also=("t1", "t2"), emotion="angry")
    found = handoff_note(message, classification, taxonomy, group_name="组" * 40, rule_note="提" * 80)
    assert len(found) <= LONGEST
    assert found.startswith("要:很长很长的主题名称第0号") and "愤怒" in found and "提示:" in found
    assert "组:" not in found


# --- any message ----------------------------------------------------------------------------------------------------
PERSONAL = [
    "13800138000",
    "138 0013 8000",
    "11010519491231002X",
    "6222020000000007",
    "010-62345678",
    "微信号:abcde12345",
]
texts = st.lists(
    st.sampled_from([*PERSONAL, "黑色", "XL", "30元", "订单", "|", "\n"]) | st.text(max_size=8), max_size=8
)
words = texts.map("".join)
zones = st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones)
orders = st.builds(
    Order,
    id=st.none() | words,
    state=st.sampled_from(ORDER_STATES),
    amount=st.none() | st.floats(),
    **{one.name: st.none() | moments for one in fields(Order) if one.name.endswith(("_at", "_by"))},
)
messages = st.builds(
    Message,
    text=words,
    sent_at=moments,
    history=st.lists(st.builds(Turn, st.sampled_from(ROLES), words), max_size=6).map(tuple),
    order=st.none() | orders,
)
classifications = st.none() | st.builds(
    said,
    st.sampled_from(default().topic_ids) | words,
    also=st.lists(st.sampled_from(default().topic_ids), max_size=2).map(tuple),
    emotion=st.sampled_from(default().emotion_ids) | words,
    confidence=st.floats(),
)


@given(messages, classifications, st.none() | words, st.none() | words)
def test_any_message_gives_one_short_line(
    message: Message, classification: Classification | None, group: str | None, hint: str | None
) -> None:
    found = handoff_note(message, classification, default(), group_name=group, rule_note=hint)
    assert len(found) <= LONGEST and "\n" not in found and not found.startswith(BETWEEN)
    assert handoff_note(message, classification, default(), group_name=group, rule_note=hint) == found


@given(
    st.sampled_from(PERSONAL),
    st.sampled_from(["", "我的", "号码是", "黑色XL "]),
    st.sampled_from(["", " ", "。黑色", "退我30块"]),
)
def test_no_personal_data(personal: str, before: str, after: str) -> None:
    text = before + personal + after
    message = Message(text=text, history=(Turn("buyer", text), Turn("bot", text), Turn("buyer", text)))
    found = handoff_note(message, said(), default(), group_name=personal, rule_note=text)
    shown = re.sub(r"\D", "", found)
    digits = re.sub(r"\D", "", personal)
    assert personal not in found and digits not in shown
    assert not any(digits[at : at + 6] in shown for at in range(len(digits) - 5))
