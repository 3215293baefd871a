"""One entry: what its fields may hold, what is said of those that don't, and where and when it applies."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from fenzhen.knowledge.entry import BadField, Entry, entry_of
from fenzhen.message import CHINA, Message
from fenzhen.taxonomy import default

GOOD: dict[str, Any] = {"id": "fahuo", "question": "什么时候发货", "answer": "48 小时内发出"}


def read(**changes: Any) -> Entry:
    return entry_of({**GOOD, **changes}, default())


def at(text: str, **fields: Any) -> Message:
    return Message.from_dict({"text": "什么时候发货", "sent_at": text, **fields})


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"id": None}, "id", "found nothing, expected text"),
        ({"id": 7}, "id", "found 7, expected text"),
        ({"question": "  "}, "question", "expected text"),
        ({"question": "发货\n时间"}, "question", "expected one line"),
        ({"question": " 发货"}, "question", "without spaces around it"),
        ({"answer": ""}, "answer", "fill it in or remove the entry"),
        ({"answer": "好\x07"}, "answer", "control character"),
        ({"variants": "多久发"}, "variants", "expected a list of texts"),
        ({"variants": ["多久发", 3]}, "variants", "found 3, expected text"),
        ({"variants": ["多久发", "多久发"]}, "variants", "twice"),
        ({"channel": {"a": 1}}, "channel", "expected a text or a list of texts"),
        ({"product": [""]}, "product", "expected text"),
        ({"topic": "物流跟综"}, "topic", "物流跟踪"),
        ({"topic": 3}, "topic", "expected a topic of the taxonomy"),
        ({"valid_from": "明天"}, "valid_from", "expected a date like 2026-11-11"),
        ({"valid_to": "2026-02-30"}, "valid_to", "expected a date like 2026-11-11"),
        ({"valid_to": 20261111}, "valid_to", "expected a date"),
        ({"valid_from": "2026-11-12", "valid_to": "2026-11-11"}, "valid_to", "before valid_from 2026-11-12"),
        ({"answr": "x"}, "answr", "did you mean answer?"),
    ],
)
def test_bad_fields_are_named(changes: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(BadField, match=".") as caught:
        read(**changes)
    assert caught.value.field == field
    assert says in caught.value.reason


def test_an_entry_reads_back_as_it_is_written() -> None:
    entry = read(
        variants=["多久发", "啥时候发"],
        topic="发货时间",
        channel="抖音",
        product=["A1", "A2"],
        valid_from="2026/11/1",
        valid_to="2026-11-11 20:00",
    )
    assert entry.topic == "logistics.ship_time"
    assert entry.channel == ("抖音",)
    assert entry.valid_from == date(2026, 11, 1)
    assert entry.valid_to == datetime(2026, 11, 11, 20, tzinfo=CHINA)
    assert entry_of(entry.to_dict(), default()) == entry
    assert read().to_dict() == GOOD


def test_line_ends_are_made_one_kind() -> None:
    """Excel keeps \\r\\n as \\n, so a table would not read back equal."""
    assert read(answer="一\r\n二\r三").answer == "一\n二\n三"


def test_a_date_is_that_whole_day_in_china() -> None:
    entry = read(valid_from="2026-11-10", valid_to="2026-11-11")
    assert not entry.applies(at("2026-11-09T23:59:59+08:00"))
    assert entry.applies(at("2026-11-09T16:00:00+00:00"))  # midnight in China
    assert entry.applies(at("2026-11-11T23:59:59+08:00"))
    assert not entry.applies(at("2026-11-12T00:00:00+08:00"))


def test_a_time_is_valid_to_the_second() -> None:
    entry = read(valid_to="2026-11-11T20:00:00+08:00")
    assert entry.applies(at("2026-11-11T20:00:00+08:00"))
    assert not entry.applies(at("2026-11-11T20:00:01+08:00"))
    assert timedelta(hours=8) == entry.valid_to.utcoffset()  # type: ignore[union-attr]


def test_channel_and_product_narrow_an_entry_down() -> None:
    now = "2026-11-11T20:00:00+08:00"
    entry = read(channel=["抖音", "千牛"], product="A1")
    assert entry.limits == 2
    assert entry.applies(at(now, channel="千牛", product={"id": "A1"}))
    assert entry.applies(at(now, channel="抖音", order={"product_ids": ["B2", "A1"]}))
    assert not entry.applies(at(now, channel="千牛", product={"id": "B2"}))
    assert not entry.applies(at(now, channel="微信", product={"id": "A1"}))
    assert not entry.applies(at(now))
