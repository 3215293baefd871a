"""Repeats and unanswered turns are counted from the history alone."""

import pytest

from fenzhen.message import Message, Role, Turn
from fenzhen.routing.repeats import MAX_CHARACTERS, repeats, unanswered


def asked(text: str, *turns: tuple[Role, str]) -> Message:
    return Message(text, history=tuple(Turn(role, said) for role, said in turns))


@pytest.mark.parametrize(
    ("message", "count"),
    [
        (asked("什么时候发货"), 0),
        (asked("什么时候发货", ("buyer", "到底什么时候发货啊"), ("bot", "48 小时内")), 1),
        (asked("什么时候发货", ("buyer", "什么时候发货?"), ("bot", "快了"), ("buyer", "请问什么时候发货")), 2),
        (asked("什么时候发货", ("buyer", "什么时候到货")), 0),
        (asked("什么时候发货", ("bot", "什么时候发货")), 0),
        (asked("什么时候发货", ("buyer", "什么时候发货"), ("agent", "今晚")), 0),
        (asked("什么时候发货", ("buyer", "什么时候发货"), ("agent", "今晚"), ("buyer", "什么时候发货")), 1),
        (asked("好的", ("buyer", "好的"), ("buyer", "好的")), 0),
        (asked("???", ("buyer", "???")), 0),
    ],
)
def test_repeats(message: Message, count: int) -> None:
    assert repeats(message) == count


def test_unanswered_counts_buyer_turns_at_the_end() -> None:
    history = asked("在吗", ("buyer", "a"), ("bot", "b"), ("buyer", "c"), ("buyer", "d")).history
    assert unanswered(history) == 2
    assert unanswered(history[:2]) == 0
    assert unanswered(()) == 0


def test_only_the_start_of_a_long_paste_is_compared() -> None:
    start = "".join(chr(0x4E00 + i) for i in range(MAX_CHARACTERS))
    message = asked(start + "什么时候发货" * 1000, ("buyer", start + "能不能开发票" * 1000))
    assert repeats(message) == 1
