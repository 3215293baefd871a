"""Stalls in a table of orders: which logistics clocks have rung or soon will, before a buyer asks. Sends nothing.

Columns as in chat logs, `order_id, shop, order_state, order_paid_at …`; `order_state` is needed, the others count where
they are there. Rows that can't be read are reported, not skipped in silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from fenzhen.batch.rows import RowReader
from fenzhen.batch.table import BadRow, Source
from fenzhen.errors import RequestError
from fenzhen.routing.clocks import Clock, running
from fenzhen.routing.policies import Policies

NEEDED = "order_state"


@dataclass(frozen=True, slots=True)
class Stall:
    """An order whose clock rings at `due`: `hours_left` until then, negative once it is overdue."""

    line: int
    shop: str | None
    order: str | None
    state: str
    clock: Clock
    due: datetime
    hours_left: float


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that can't be read, and why."""

    line: int
    reason: str


def find_stalls(source: Source, policies: Policies, at: datetime, within: timedelta) -> Iterator[Stall | Unread]:
    """The first clock of each order that has rung by `at` or will within a time, under its shop's policy."""
    reader = RowReader([name for name in source.columns if name not in ("role", "session")], now=at)
    for row in source.rows():
        if isinstance(row, BadRow):
            yield Unread(row.line, row.reason)
            continue
        orders = {name: value for name, value in row.values.items() if name.startswith("order_") or name == "shop"}
        try:
            message = reader.read({**orders, "text": "-"})
        except RequestError as error:
            yield Unread(row.line, str(error))
            continue
        if message is None or message.order is None:
            continue
        clocks = policies.of(message.shop)[0].clocks
        due = next(iter(running(message.order, clocks)), None)
        if due is not None and due.at <= at + within:
            left = (due.at - at) / timedelta(hours=1)
            order = message.order
            yield Stall(row.line, message.shop, order.id, order.state, due.clock, due.at, round(left, 1))
