"""What the gateway sends: one buyer message and what surrounds it. Plain frozen data; knows no HTTP and no model.

All times are timezone-aware datetimes. Amounts are yuan. `Message.from_dict` reads the request object of
the HTTP contract and holds all its checks; pydantic models in the web layer only document them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

from fenzhen.errors import RequestError

Role = Literal["buyer", "bot", "agent"]
OrderState = Literal["none", "unpaid", "paid", "shipped", "signed", "refunding", "closed"]

ROLES: tuple[Role, ...] = ("buyer", "bot", "agent")
ORDER_STATES: tuple[OrderState, ...] = ("none", "unpaid", "paid", "shipped", "signed", "refunding", "closed")
# China has had one time zone without daylight saving since 1991; a fixed offset needs no time zone database.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
MAX_TEXT = 10_000  # characters in one message
MOST_YUAN = 10**12
MOST_WAITING = 10**9


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Role
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order the buyer has open."""

    id: str | None = None
    state: OrderState = "none"
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    shipped_at: datetime | None = None
    collected_at: datetime | None = None
    last_scan_at: datetime | None = None
    arrived_at: datetime | None = None
    signed_at: datetime | None = None
    refund_requested_at: datetime | None = None
    amount: float | None = None
    remote_area: bool = False
    product_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """The product the buyer looks at."""

    id: str
    category: str | None = None
    price: float | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One buyer message to triage. `sent_at` is the only clock: nothing here reads the wall clock later."""

    text: str
    shop: str | None = None
    session: str | None = None
    buyer: str | None = None
    channel: str | None = None
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    holder: str | None = None
    queue_length: int | None = None
    buyer_tags: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    order: Order | None = None
    product: Product | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Message":
        """Read the request object of `POST /classify`.

        Raises RequestError naming the field for unknown fields, wrong types, empty or over-long text.
        """
        message: Message = _read(cls, data, "")
        return message


_TIMES = frozenset(
    {"sent_at", "at", "paid_at", "ship_by", "shipped_at", "collected_at", "last_scan_at"}
    | {"arrived_at", "signed_at", "refund_requested_at"}
)
_STRINGS = frozenset({"text", "shop", "session", "buyer", "channel", "holder", "id", "category"})
_STRING_LISTS = frozenset({"buyer_tags", "product_ids", "tags"})
_CHOICES: dict[str, tuple[str, ...]] = {"role": ROLES, "state": ORDER_STATES}


def _read(cls: type[Any], data: object, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise RequestError(f"{path or 'request'}: found {type(data).__name__}, expected an object", field=path or None)
    known = [f.name for f in fields(cls)]
    for name in data:
        if name not in known:
            raise RequestError(f"unknown field {path}{name}; known are {', '.join(known)}", field=f"{path}{name}")
    values = {name: _value(name, value, path + name) for name, value in data.items() if value is not None}
    for required in {"Message": ("text",), "Turn": ("role", "text"), "Product": ("id",)}.get(cls.__name__, ()):
        if required not in values:
            raise RequestError(f"{path}{required} is missing", field=path + required)
    return cls(**values)


def _value(name: str, value: object, path: str) -> object:
    def wrong(expected: str) -> RequestError:
        return RequestError(f"{path}: found {value!r:.80}, expected {expected}", field=path)

    if name == "history":
        if not isinstance(value, list | tuple):
            raise wrong("a list of turns")
        return tuple(_read(Turn, turn, f"{path}[{i}].") for i, turn in enumerate(value))
    if name == "order":
        return _read(Order, value, "order.")
    if name == "product":
        return _read(Product, value, "product.")
    if name in _TIMES:
        return _time(value, wrong)
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise wrong("one of " + ", ".join(_CHOICES[name]))
        return value
    if name in _STRING_LISTS:
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise wrong("a list of strings")
        return tuple(value)
    if name in _STRINGS:
        if not isinstance(value, str):
            raise wrong("a string")
        if path == "text":
            check_text(value)
        return value
    return _number(name, value, wrong)


def _time(value: object, wrong: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise wrong("an ISO 8601 time with offset, like 2026-11-11T20:00:00+08:00") from None
    if moment.tzinfo is None:
        raise wrong("a time with its offset, like 2026-11-11T20:00:00+08:00")
    return moment


def _number(name: str, value: object, wrong: Any) -> object:
    if name == "remote_area":
        if not isinstance(value, bool):
            raise wrong("true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("a number")
    if name == "queue_length":
        if value < 0 or value != value // 1 or value > MOST_WAITING:
            raise wrong("a whole number from 0")
        return int(value)
    if not 0 <= value <= MOST_YUAN:
        raise wrong("yuan from 0")
    return float(value)


def check_text(text: str) -> None:
    """Raise RequestError for a text that is empty, blank or over MAX_TEXT characters."""
    if not text.strip():
        raise RequestError("text is empty; send the buyer's message, at least one visible character", field="text")
    if len(text) > MAX_TEXT:
        raise RequestError(
            f"text has {len(text):,} characters, the limit is {MAX_TEXT:,}; send the message without its attachments",
            field="text",
        )
