"""Feedback: what people or the gateway say about a decision later. Plain frozen data; knows neither HTTP nor tables.

It does not know which topics exist: the caller that knows the model's taxonomy checks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

from fenzhen.errors import RequestError
from fenzhen.routing.decision import ACTIONS, Action

Event = Literal["corrected", "transferred", "asked_for_person", "closed"]
EVENTS: tuple[Event, ...] = ("corrected", "transferred", "asked_for_person", "closed")
MAX_ID = 200  # characters


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event on decision `id`. `event_id` makes it idempotent; `satisfaction` is 1 (bad) to 5 (good)."""

    id: str
    event_id: str
    event: Event
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    topic: str | None = None
    emotion: str | None = None
    action: Action | None = None
    group: str | None = None
    resolved: bool | None = None
    satisfaction: int | None = None
    by: str | None = None

    @classmethod
    def from_dict(cls, data: object) -> "Feedback":
        """Read the body of `POST /feedback`. Raises RequestError naming the field at fault."""
        if not isinstance(data, Mapping):
            raise RequestError(f"feedback: found {type(data).__name__}, expected an object with id, event_id and event")
        known = [f.name for f in fields(cls)]
        for name in data:
            if name not in known:
                raise RequestError(f"unknown field {name}; known are {', '.join(known)}", field=name)
        values = {name: _value(name, value) for name, value in data.items() if value is not None}
        for name in ("id", "event_id", "event"):
            if name not in values:
                raise RequestError(f"{name} is missing", field=name)
        return cls(**values)


def _value(name: str, value: Any) -> Any:
    def wrong(expected: str) -> RequestError:
        return RequestError(f"{name}: found {value!r:.80}, expected {expected}", field=name)

    choices: dict[str, tuple[str, ...]] = {"event": EVENTS, "action": ACTIONS}
    if name in choices:
        if value not in choices[name]:
            raise wrong("one of " + ", ".join(choices[name]))
    elif name == "at":
        return _time(value, wrong)
    elif name == "resolved":
        if not isinstance(value, bool):
            raise wrong("true or false")
    elif name == "satisfaction":
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            raise wrong("a whole number from 1 to 5")
    elif not isinstance(value, str) or not 1 <= len(value) <= MAX_ID:
        raise wrong(f"a text of 1 to {MAX_ID} characters")
    return value


def _time(value: Any, wrong: Any) -> datetime:
    expected = "an ISO 8601 time with offset, like 2026-11-11T20:00:00+08:00"
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(expected) from None
    if moment.tzinfo is None:
        raise wrong(expected)
    return moment
