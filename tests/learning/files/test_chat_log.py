"""A chat log, one row a message: buyers' labelled messages with what was said before."""

from pathlib import Path

import pytest

from fenzhen.errors import DataError
from fenzhen.learning.examples import Example
from fenzhen.learning.readers import read_examples

HEADER = "session,sent_at,role,text,topic\n"


def log(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[tuple[str, list[str]]]:
    return [(e.text, [f"{t.role}:{t.text}" for t in e.history]) for e in read_examples([path], None)]


def test_history_is_what_was_said_before_in_the_same_session(tmp_path: Path) -> None:
    file = log(
        tmp_path / "a.csv",
        "s1,2026-11-11T20:00:00+08:00,买家,有红色吗,库存",
        "s2,2026-11-11T20:00:01+08:00,buyer,发什么快递,快递",
        "s1,2026-11-11T20:00:05+08:00,客服,有的,",
        "s1,2026-11-11T20:00:09+08:00,买家,那多久到,时效",
        "s1,2026-11-11T20:00:10+08:00,买家,嗯,",
    )
    assert read(file) == [
        ("有红色吗", []),
        ("发什么快递", []),
        ("那多久到", ["buyer:有红色吗", "agent:有的"]),
    ]
    example: Example = read_examples([file], None)[2]
    assert example.session == "s1" and example.group == "s:s1"


def test_turns_are_ordered_by_time_whatever_the_offset(tmp_path: Path) -> None:
    file = log(
        tmp_path / "a.csv",
        "s,2026/11/11 20:05:00,buyer,第三句,x",
        "s,2026-11-11T12:01:00+00:00,bot,第二句,",
        "s,2026-11-11 20:00:00,buyer,第一句,x",
    )
    assert read(file) == [("第三句", ["buyer:第一句", "bot:第二句"]), ("第一句", [])]


def test_without_times_the_order_of_the_file_counts(tmp_path: Path) -> None:
    assert read(log(tmp_path / "a.csv", "s,,buyer,一,x", "s,,buyer,二,x")) == [("一", []), ("二", ["buyer:一"])]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("s,,老板,在吗,x", r":2: role: found '老板', expected one of buyer, bot, agent"),
        (",,buyer,在吗,x", "a chat log needs both"),
        ("s,,agent,在的,x", "found a label on a message of the agent"),
        ("s,昨天,buyer,在吗,x", "sent_at: found '昨天', expected a time like"),
    ],
)
def test_faults(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_examples([log(tmp_path / "a.csv", line)], None)
