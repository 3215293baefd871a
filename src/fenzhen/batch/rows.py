"""What a row of a chat log means: role, time, history and the Message to triage. Knows no files and no model.

Columns are `session, sent_at, role, text, shop, channel, buyer`, the other fields of Message by name, and nested
fields joined by `_` (`order_state`, `product_price`). Other columns are left alone. A time without offset is taken as
Beijing time (noted in `naive_times`); a missing one is the time of the run. The history of a buyer's row is what the
file holds above it for the same shop and session; rejected rows and rows without text are no part of it.
"""

import json
import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from fenzhen.errors import RequestError
from fenzhen.message import CHINA, MAX_TEXT, ROLES, Message, Order, Product, Role, Turn

HISTORY_TURNS = 6
MAX_SESSIONS = 10_000
MAX_HISTORY_CHARS = 20_000_000  # over all sessions kept, so that long texts can't fill the memory

# column -> where it goes in the request object
COLUMNS: dict[str, tuple[str, ...]] = {
    **{f.name: (f.name,) for f in fields(Message) if f.name not in ("history", "order", "product")},
    **{f"order_{f.name}": ("order", f.name) for f in fields(Order)},
    **{f"product_{f.name}": ("product", f.name) for f in fields(Product)},
}
_TURN_COLUMNS = {name: COLUMNS[name] for name in ("text", "shop", "session", "sent_at")}  # all that history needs
_LISTS = frozenset({"buyer_tags", "tags", "product_ids"})
_NUMBERS = frozenset({"queue_length", "amount", "price"})
_EXCEL_TIME = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2}) +(\d{1,2}):(\d{2})(?::(\d{2}))?")
_FALSE, _TRUE = ("false", "0", "no", "否"), ("true", "1", "yes", "是")


def misspelt(columns: Iterable[str]) -> list[tuple[str, str]]:
    """Columns that are read as nothing but look like one that would be: (found, known)."""
    known = [*COLUMNS, "role"]
    pairs = [(name, get_close_matches(name, known, n=1, cutoff=0.85)) for name in columns if name not in known]
    return [(name, close[0]) for name, close in pairs if close]


class RowReader:
    """Reads rows in file order; holds the last turns of the sessions seen most recently."""

    def __init__(
        self, columns: Iterable[str], *, now: datetime | None = None, max_sessions: int = MAX_SESSIONS
    ) -> None:
        self._has_role = "role" in set(columns)
        self._now = now or datetime.now(UTC)
        self._sessions = Sessions(max_sessions)
        self.naive_times = 0
        self.missing_times = 0
        self.out_of_order = 0

    def read(self, values: Mapping[str, Any]) -> Message | None:
        """The Message of a buyer's row; None for a row of bot or agent. Raises RequestError for a row that is bad."""
        role = self._role(values)
        request: dict[str, Any] = {}
        for column, path in (COLUMNS if role == "buyer" else _TURN_COLUMNS).items():
            if column in values and (value := _cell(path[-1], values[column], column)) is not None:
                target = request if len(path) == 1 else request.setdefault(path[0], {})
                target[path[-1]] = self._time(value, column) if _is_time(path[-1]) else value
        if "product" in request:
            request["product"].setdefault("id", "")  # logs often have the price and not the id
        given = request.get("sent_at")
        request.setdefault("sent_at", self._now)
        session = (request.get("shop"), request["session"]) if "session" in request else None
        if role != "buyer":
            self._remember(session, role, request)
            return None
        self.missing_times += given is None
        request.setdefault("text", "")
        message = Message.from_dict(request)
        history = self._sessions.turns(session)
        self.out_of_order += bool(history and given and history[-1].at and history[-1].at > given)
        self._remember(session, role, request)
        return replace(message, history=history)

    def _role(self, values: Mapping[str, Any]) -> Role:
        if not self._has_role:
            return "buyer"
        found = values.get("role")
        name = found.strip() if isinstance(found, str) else found
        for role in ROLES:
            if name == role:
                return role
        raise RequestError(f"role: found {found!r:.40}, expected one of {', '.join(ROLES)}", field="role")

    def _time(self, value: object, column: str) -> datetime:
        moment = _parse_time(value, column)
        if moment.tzinfo is None:
            self.naive_times += column == "sent_at"
            return moment.replace(tzinfo=CHINA)
        return moment

    def _remember(self, session: tuple[Any, Any] | None, role: Role, request: Mapping[str, Any]) -> None:
        text = request.get("text")
        if session is not None and isinstance(text, str) and text.strip():
            self._sessions.add(session, Turn(role, text[:MAX_TEXT], request["sent_at"]))


class Sessions:
    """The last turns of the sessions used most recently; forgets the least recent beyond its bounds."""

    def __init__(self, max_sessions: int = MAX_SESSIONS, max_chars: int = MAX_HISTORY_CHARS) -> None:
        self._max_sessions, self._max_chars = max_sessions, max_chars
        self._turns: OrderedDict[tuple[Any, Any], tuple[Turn, ...]] = OrderedDict()
        self._chars = 0

    def turns(self, session: tuple[Any, Any] | None) -> tuple[Turn, ...]:
        """The turns kept of a session, oldest first."""
        return self._turns.get(session, ()) if session is not None else ()

    def add(self, session: tuple[Any, Any], turn: Turn) -> None:
        before = self._turns.pop(session, ())
        after = (*before, turn)[-HISTORY_TURNS:]
        self._turns[session] = after
        self._chars += sum(len(t.text) for t in after) - sum(len(t.text) for t in before)
        while len(self._turns) > self._max_sessions or (self._chars > self._max_chars and len(self._turns) > 1):
            _, forgotten = self._turns.popitem(last=False)
            self._chars -= sum(len(t.text) for t in forgotten)


def _is_time(name: str) -> bool:
    return name.endswith("_at") or name == "ship_by"


def _cell(name: str, value: object, column: str) -> object:
    """A cell as the request object wants it; None where it is empty. What can't be converted is left to Message."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if name == "text":
        return value
    if isinstance(value, str):
        value = value.strip()
        return _from_text(name, value, column) if value else None
    if name in _LISTS or _is_time(name) or name in _NUMBERS or name == "remote_area":
        whole = name == "queue_length" and isinstance(value, float) and value.is_integer()
        return int(value) if whole else value  # type: ignore[call-overload]
    # Ids are often numbers in JSON and Parquet, and floats where a column has gaps.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _from_text(name: str, value: str, column: str) -> object:
    if name in _LISTS:
        if value.startswith("["):
            try:
                return json.loads(value)
            except ValueError:
                raise RequestError(f"{column}: found {value!r:.80}, expected a JSON list", field=column) from None
        return [part.strip() for part in re.split("[;；|,，、]", value) if part.strip()]
    if name in _NUMBERS:
        try:
            return int(value) if name == "queue_length" else float(value)
        except ValueError:
            raise RequestError(f"{column}: found {value!r:.80}, expected a number", field=column) from None
    if name == "remote_area" and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    return value


def _parse_time(value: object, column: str) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and len(value) > 10:  # a date alone says no hour, and hours decide routes
            if match := _EXCEL_TIME.fullmatch(value):
                return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    expected = "a time like 2026-11-11T20:00:00+08:00 or 2026-11-11 20:00:00"
    raise RequestError(f"{column}: found {value!r:.80}, expected {expected}", field=column)
