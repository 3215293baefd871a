"""Example: one labelled buyer message with its context, and the fingerprint that names a text without quoting it.

Says nothing of files (`readers`) or of which examples may train what (`sources`).
"""

import hashlib
import unicodedata
from dataclasses import dataclass, field

from fenzhen.message import Message, Turn
from fenzhen.text.normalise import normalise


@dataclass(frozen=True, slots=True)
class Example:
    """One row of training or evaluation data; None means not labelled.

    topic        the label to learn; `also` further topics asked for in the same message
    topics_ok    every reading of the topic by independent annotators (evaluation data only; may be empty)
    emotions_ok  the same for the emotion
    weight       how much the row counts in training, 1 for a label read by us
    channel, shop, reviewed  where the message came from and whether a person checked the label: for slices of a report
    where        file:line it was read from, for people
    """

    text: str
    history: tuple[Turn, ...] = ()
    topic: str | None = None
    also: tuple[str, ...] = ()
    emotion: str | None = None
    needs_human: bool | None = None
    session: str | None = None
    source: str | None = None
    split: str | None = None
    weight: float = 1.0
    id: str | None = None
    topics_ok: tuple[str, ...] = ()
    emotions_ok: tuple[str, ...] = ()
    channel: str | None = None
    shop: str | None = None
    reviewed: bool | None = None
    where: str | None = field(default=None, compare=False)

    def message(self) -> Message:
        """The message as the gateway would have sent it."""
        return Message(text=self.text, session=self.session, history=self.history)

    @property
    def said(self) -> str:
        """What is the same where people would say that it is the same message after the same history."""
        return "\n".join(squeeze(text) for text in (*(turn.text for turn in self.history), self.text))

    @property
    def group(self) -> str:
        """What must not be cut apart by cross-validation: the conversation, else all rows of the same text."""
        return f"s:{self.session}" if self.session else f"t:{fingerprint(self.text)}"


def squeeze(text: str) -> str:
    """The normalised text without spaces and punctuation (Unicode categories Z and P)."""
    return "".join(c for c in normalise(text) if unicodedata.category(c)[0] not in "ZP")


def fingerprint(text: str) -> str:
    """First 16 hex digits of the SHA-256 of the squeezed text: names a text without quoting it."""
    return hashlib.sha256(squeeze(text).encode()).hexdigest()[:16]
