"""Columns are found by what service teams call them, named where that fails, and never guessed."""

import json
from pathlib import Path

import pytest

from fenzhen.errors import DataError
from fenzhen.learning.files.columns import ALIASES, KNOWN, columns_of
from fenzhen.learning.readers import read_examples


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["text", "topic"], {"text": "text", "topic": "topic"}),
        (["消息内容", "意图"], {"text": "消息内容", "topic": "意图"}),
        (["Session ID", "Message", "Category"], {"text": "Message", "topic": "Category", "session": "Session ID"}),
        (["内容", "label"], {"text": "内容", "label": "label"}),
        (["text", "intent"], {"text": "text", "topic": "intent"}),
        (["text", "topic", "intent"], {"text": "text", "topic": "topic", "intent": "intent"}),
        (["text", "内容"], {"text": "text"}),
    ],
)
def test_found(columns: list[str], expected: dict[str, str]) -> None:
    assert columns_of(columns, {}) == expected


def test_named_beats_found() -> None:
    assert columns_of(["text", "原话", "一级", "二级"], {"text": "原话", "topic": "二级"}) == {
        "text": "原话",
        "topic": "二级",
    }


@pytest.mark.parametrize(
    ("columns", "named", "message"),
    [
        (["消息", "内容"], {}, r"'消息' and '内容' could both be the text; say which: --column text=消息"),
        (["text", "标签", "意图"], {}, "could both be the topic"),
        (["标题", "备注"], {}, r"expected text; .*--column text=NAME"),
        (["text"], {"topic": "意图"}, "no such column"),
        (["text"], {"subject": "text"}, "expected one of text"),
    ],
)
def test_refused(columns: list[str], named: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        columns_of(columns, named)


def test_no_alias_means_two_things() -> None:
    names = [name for aliases in ALIASES.values() for name in aliases]
    assert len(names) == len(set(names)) and not set(names) & (set(KNOWN) - {"intent"})


def test_what_was_taken_is_said_and_a_misspelt_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("买家消息,标签,备注\n有货吗,库存,x\n", encoding="gbk")
    said: list[str] = []
    (example,) = read_examples([file], None, say=said.append)
    assert (example.text, example.topic) == ("有货吗", "库存")
    assert said == [f"{file}: text from '买家消息', topic from '标签'"]
    bad = tmp_path / "b.jsonl"
    bad.write_text(json.dumps({"text": "x"}) + "\n" + json.dumps({"text": "x", "topik": "y"}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.jsonl:2: unknown field 'topik', probably 'topic'"):
        read_examples([bad], None)


def test_emotions_may_carry_their_chinese_names(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("内容,情绪\n快点,着急\n", encoding="utf-8")
    assert read_examples([file], None)[0].emotion == "anxious"
