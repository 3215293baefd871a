"""How often a buyer has asked the same already, and how long nobody has answered. From the history alone.

Compares wording, not meaning: a request put in quite other words is not seen as a repeat.
"""

from collections.abc import Sequence

from fenzhen.message import Message, Turn

# Dice coefficient of character pairs from which two texts count as the same request: "什么时候发货" and
# "到底什么时候发货啊" reach 0.77, "什么时候发货" and
# "什么时候到货" 0.60.
SAME = 0.65
# Two characters ("好的", "在吗") say too little to be a repeated request.
MIN_CHARACTERS = 3
# Enough to tell requests apart; keeps the work linear for a long paste.
MAX_CHARACTERS = 200


def repeats(message: Message) -> int:
    """Number of earlier buyer turns that ask the same as `message`, since a person last answered."""
    now = _pairs(message.text) if message.history else frozenset()
    if not now:
        return 0
    count = 0
    for turn in reversed(message.history):
        if turn.role == "agent":
            break
        if turn.role == "buyer" and _dice(now, _pairs(turn.text)) >= SAME:
            count += 1
    return count


def unanswered(history: Sequence[Turn]) -> int:
    """Number of buyer turns at the end of the history, without a reply by bot or person."""
    count = 0
    for turn in reversed(history):
        if turn.role != "buyer":
            break
        count += 1
    return count


def _pairs(text: str) -> frozenset[str]:
    letters = "".join(c for c in text[: 2 * MAX_CHARACTERS].lower() if c.isalnum())[:MAX_CHARACTERS]
    if len(letters) < MIN_CHARACTERS:
        return frozenset()
    return frozenset(letters[i : i + 2] for i in range(len(letters) - 1))


def _dice(a: frozenset[str], b: frozenset[str]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if b else 0.0
