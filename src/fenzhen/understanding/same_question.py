"""Whether a buyer asks again what was asked before, in other words: by the sentence vectors of the texts alone.

Every text is classified once without its history and remembered, so in a running chat only the new one costs a pass. A
pure function of the message: what is remembered only saves time. What is worded alike is for `fenzhen.routing.repeats`.
"""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fenzhen.message import Message
from fenzhen.understanding.classification import Classification
from fenzhen.understanding.readout import NO_REQUEST

Classify = Callable[[Sequence[Message]], list[Classification]]

# Among pairs of JD buyers' questions (jddc_intents) that the model gives one topic, 14 % of those with another intent
# reach this cosine, of Taobao questions (ecd_clusters) 4 %; of those with the same intent one in five to nine.
ALIKE = 0.85
FEWEST = 4  # characters: "好的", "在吗" ask nothing
TURNS = 3  # earlier buyer turns that are compared
REMEMBERED = 4096  # texts


class _Read(NamedTuple):
    """All that is remembered of a text: half a kilobyte, where a whole classification takes seven."""

    topic: str
    vector: "array[float]"


class SameQuestion:
    """Counts earlier turns with the same question. Thread-safe."""

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._known: OrderedDict[str, _Read] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, message: Message) -> int:
        """How many of the last turns since a person answered ask the same. Raises what `classify` raises."""
        texts = [message.text, *_asked(message)]
        if len(texts) == 1 or len(message.text.strip()) < FEWEST:
            return 0
        now, *before = self._all(texts)
        if now.topic.startswith(NO_REQUEST):
            return 0
        return sum(one.topic == now.topic and _cosine(one.vector, now.vector) >= ALIKE for one in before)

    def _all(self, texts: Sequence[str]) -> list[_Read]:
        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            said = self._classify([Message(text) for text in missing])
            read = (_Read(one.topic, array("f", one.vector)) for one in said)
            found |= zip(missing, read, strict=True)
        with self._lock:
            for text in texts:
                self._known[text] = found[text]
                self._known.move_to_end(text)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return [found[text] for text in texts]


def _asked(message: Message) -> list[str]:
    """Texts of the buyer's last turns since a person answered, the newest first."""
    texts: list[str] = []
    for turn in reversed(message.history):
        if turn.role == "agent" or len(texts) == TURNS:
            break
        if turn.role == "buyer" and len(turn.text.strip()) >= FEWEST:
            texts.append(turn.text)
    return texts


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
