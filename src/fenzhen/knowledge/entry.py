"""Entry: one question with its variants and its answer, and where and when it may be given. FaqHit: an entry found.

Plain frozen data and the checks of one entry. It knows neither files, nor which variables a shop has, nor the index.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fenzhen.errors import DataError
from fenzhen.message import CHINA, Message
from fenzhen.taxonomy import Taxonomy, nearest

FIELDS = ("id", "question", "variants", "answer", "topic", "channel", "product", "valid_from", "valid_to")
REQUIRED = ("id", "question", "answer")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")


class BadField(DataError):
    """What is wrong with one field; whoever reads a file adds file and line."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Entry:
    """One FAQ entry.

    channel, product  where it applies: any of these; empty: everywhere
    valid_from, valid_to  first and last moment: a date is that whole day in China, a datetime has its offset
    """

    id: str
    question: str
    answer: str
    variants: tuple[str, ...] = ()
    topic: str | None = None
    channel: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def limits(self) -> int:
        """How many things narrow the entry down; the narrower of two with the same question is given."""
        dated = self.valid_from is not None or self.valid_to is not None
        return bool(self.channel) + bool(self.product) + dated

    def applies(self, message: Message) -> bool:
        """Whether channel, product and validity allow it for this message, at the moment the message was sent."""
        if self.channel and message.channel not in self.channel:
            return False
        if self.product and not _products(message).intersection(self.product):
            return False
        return not (
            (self.valid_from is not None and message.sent_at < _first(self.valid_from))
            or (self.valid_to is not None and message.sent_at >= _end(self.valid_to))
        )

    def to_dict(self) -> dict[str, Any]:
        """The object of a JSON line, without what is empty; `entry_of` reads it back to an equal entry."""
        written: dict[str, Any] = {"id": self.id, "question": self.question}
        if self.variants:
            written["variants"] = list(self.variants)
        written["answer"] = self.answer
        if self.topic is not None:
            written["topic"] = self.topic
        for name, values in (("channel", self.channel), ("product", self.product)):
            if values:
                written[name] = values[0] if len(values) == 1 else list(values)
        for name, moment in (("valid_from", self.valid_from), ("valid_to", self.valid_to)):
            if moment is not None:
                written[name] = moment.isoformat()
        return written


@dataclass(frozen=True, slots=True)
class FaqHit:
    """An entry found for a message: its answer, variables filled in; `score` is the probability that it is right."""

    id: str
    question: str
    answer: str
    score: float


def entry_of(values: Mapping[str, Any], taxonomy: Taxonomy) -> Entry:
    """Read one entry. Raises BadField naming the field, what was found, what is expected and the likely fix."""
    for name in values:
        if name not in FIELDS:
            near = nearest(name, FIELDS, 1)
            raise BadField(name, f"found an unknown field, expected one of {', '.join(FIELDS)}; did you mean {near}?")
    question = _line(values, "question")
    return Entry(
        id=_line(values, "id"),
        question=question,
        answer="\n".join(re.split(r"\r\n?|\n", _text(values, "answer"))),  # Excel and XML make line ends so
        variants=_lines(values, "variants"),
        topic=_topic(values.get("topic"), taxonomy),
        channel=_lines(values, "channel"),
        product=_lines(values, "product"),
        **_validity(values),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value.strip():
        found = "nothing" if value is None or value == "" else f"{value!r:.60}"
        raise BadField(name, f"found {found}, expected text; fill it in or remove the entry")
    return _readable(name, value)


def _line(values: Mapping[str, Any], name: str) -> str:
    text = _text(values, name)
    if text != text.strip() or len(text.splitlines()) != 1:
        raise BadField(
            name, f"found {text!r:.60}, expected one line without spaces around it; remove spaces and line breaks"
        )
    return text


def _lines(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name)
    if value is None:
        return ()
    items = [value] if isinstance(value, str) and name != "variants" else value
    if not isinstance(items, list | tuple):
        expected = "a list of texts" if name == "variants" else "a text or a list of texts"
        raise BadField(name, f"found {value!r:.60}, expected {expected}; write it in square brackets")
    lines = tuple(_line({name: item}, name) for item in items)
    if twice := next((line for i, line in enumerate(lines) if line in lines[:i]), None):
        raise BadField(name, f"found {twice!r:.60} twice, expected each once; remove one")
    return lines


def _readable(name: str, text: str) -> str:
    if any("\ud800" <= c <= "\udfff" or (c < " " and c not in "\n\t\r") for c in text):
        raise BadField(name, f"found a control character in {text!r:.60}, expected plain text; type it again")
    return text


def _topic(value: object, taxonomy: Taxonomy) -> str | None:
    """The id of a topic that is given by its id or its Chinese name."""
    if value is None:
        return None
    named = {label.name: label.id for label in taxonomy.topics}
    if value in taxonomy.topic_ids:
        return str(value)
    if isinstance(value, str) and value in named:
        return named[value]
    near = nearest(str(value), [*taxonomy.topic_ids, *named])
    raise BadField("topic", f"found {value!r:.60}, expected a topic of the taxonomy; nearest are {near}")


def _validity(values: Mapping[str, Any]) -> dict[str, date | None]:
    start, end = (_moment(name, values.get(name)) for name in ("valid_from", "valid_to"))
    if start is not None and end is not None and _first(start) >= _end(end):
        raise BadField("valid_to", f"found {end}, which is before valid_from {start}; swap or correct them")
    return {"valid_from": start, "valid_to": end}


def _moment(name: str, value: object) -> date | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else ""
    try:
        if found := _DATE.match(text):
            return date(*map(int, found.groups()))
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        raise BadField(
            name, f"found {value!r:.60}, expected a date like 2026-11-11 or a time like 2026-11-11T20:00:00+08:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def _first(moment: date) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=CHINA)


def _end(moment: date) -> datetime:
    """The first moment after: a date lasts until its midnight, a time for its last second."""
    if isinstance(moment, datetime):
        return moment + timedelta(seconds=1)
    return _first(moment) + timedelta(days=1)


def _products(message: Message) -> set[str]:
    """What the buyer looks at or has ordered."""
    ordered = message.order.product_ids if message.order is not None else ()
    return {*ordered, *([message.product.id] if message.product is not None else [])}
