"""What a model says about a message, the protocol every classifier follows, and the shipped fake.

Says nothing of what we do about it: that is `fenzhen.routing`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from fenzhen.message import Message, Turn
from fenzhen.text.normalise import Evasion

ServedBy = Literal["encoder", "linear"]


@dataclass(frozen=True, slots=True)
class Classification:
    """One message as a model reads it.

    topic       the most probable topic, e.g. "logistics.track"
    topics      the most probable topics with calibrated probabilities, best first (all of them, sum 1)
    intent      the intent with the largest summed probability; always the intent of `topic`
    emotion     one of the taxonomy's emotions, with `emotion_score` its calibrated probability
    needs_human probability that a person should answer now
    in_scope    probability that the message is not other.unclear
    confidence  calibrated probability that `topic` is right
    also        at most two further topics asked for in the same message
    vector      unit-length sentence vector, empty where the model has none
    evasions    disguised insults found by the normaliser
    """

    topic: str
    topics: tuple[tuple[str, float], ...]
    intent: str
    emotion: str
    emotion_score: float
    needs_human: float
    in_scope: float
    confidence: float
    also: tuple[str, ...] = ()
    vector: tuple[float, ...] = ()
    evasions: tuple[Evasion, ...] = ()
    served_by: ServedBy = "encoder"


class Classifier(Protocol):
    """Messages in, classifications out: same length, same order, each independent of its batch-mates."""

    @property
    def name(self) -> str:
        """Name and version of the model, e.g. "fenzhen-tiny-1"; goes into every answer."""
        ...

    @property
    def identity(self) -> str:
        """SHA-256 hex of everything that decides an answer (weights, taxonomy, normaliser, dictionaries)."""
        ...

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        """Classify messages. Empty in, empty out. Never raises for any text a Message can hold."""
        ...


class FixedClassifier:
    """The shipped fake: answers from a function, for tests of everything that sits on a classifier."""

    def __init__(self, answer: Callable[[Message], Classification] | None = None, *, name: str = "fixed") -> None:
        self._answer = answer or (lambda message: fixed_classification())
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def identity(self) -> str:
        return "0" * 64

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        return [self._answer(message) for message in messages]


def fixed_classification(topic: str = "presale.price", **changes: object) -> Classification:
    """A confident, calm, in-scope classification of `topic`; change any field by keyword."""
    rest = "other.unclear" if topic != "other.unclear" else "chitchat.ack"
    base = Classification(
        topic=topic,
        topics=((topic, 0.9), (rest, 0.1)),
        intent=topic.split(".")[0],
        emotion="neutral",
        emotion_score=0.9,
        needs_human=0.05,
        in_scope=0.95,
        confidence=0.9,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


class Remembering:
    """A classifier that asks another once about each text after its history, which is all that one reads.

    For commands that measure and route the same messages, or route them many times. Keeps every answer, so it is not
    for serving.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._known: dict[tuple[str, tuple[Turn, ...]], Classification] = {}

    @property
    def name(self) -> str:
        return self._classifier.name

    @property
    def identity(self) -> str:
        return self._classifier.identity

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        asked = {(m.text, m.history): m for m in messages if (m.text, m.history) not in self._known}
        self._known |= zip(asked, self._classifier.classify(list(asked.values())), strict=True)
        return [self._known[message.text, message.history] for message in messages]
