"""Stalls in a table of orders: which logistics clocks have rung or soon will, before a buyer asks. Sends nothing.

Columns as in chat logs, `order_id, shop, order_state, order_paid_at …`; `order_state` is needed, the others count where
they are there. Rows that can't be read, or name no state, are reported, not skipped in silence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from fenzhen.batch.rows import RowReader
from fenzhen.batch.table import BadRow, Source
from fenzhen.errors import RequestError
from fenzhen.message import ORDER_STATES, Order
from fenzhen.routing.clocks import Clock, Clocks, Due, running
from fenzhen.routing.policies import Policies

NEEDED = "order_state"


@dataclass(frozen=True, slots=True)
class Stall:
    """An order whose clock rings at `due`: `hours_left` until then, negative once it is overdue, not rounded."""

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
    """Each clock of each order that has rung by `at` or will within a time, under its shop's policy.

    In the order of the rows; of one row the longest overdue first. Being late soon is not said of what is late.
    """
    reader = RowReader([name for name in source.columns if name not in ("role", "session")], now=at)
    for row in source.rows():
        if isinstance(row, BadRow):
            yield Unread(row.line, row.reason)
            continue
        orders = {name: value for name, value in row.values.items() if name.startswith("order_") or name == "shop"}
        try:
            message = reader.read({**orders, "text": "-"})
            if message is None or message.order is None or _empty(row.values.get(NEEDED)):
                raise RequestError(f"{NEEDED}: found nothing, expected one of {', '.join(ORDER_STATES)}", field=NEEDED)
            order = message.order
            dues = _dues(order, policies.of(message.shop)[0].clocks, at)
        except RequestError as error:
            yield Unread(row.line, str(error))
            continue
        for clock, due in dues:
            if due - at <= within:
                yield Stall(row.line, message.shop, order.id, order.state, clock, due, (due - at) / timedelta(hours=1))


def _dues(order: Order, clocks: Clocks, at: datetime) -> list[Due]:
    try:
        found = running(order, clocks)
    except OverflowError:  # databases write 9999-12-31 where they know no time
        raise RequestError(
            "found a time at the end of the calendar, expected none or a real one; leave the cell empty"
        ) from None
    late = any(due.clock == "late" and due.at <= at for due in found)
    return [due for due in found if not (late and due.clock == "late_soon")]


def _empty(cell: object) -> bool:
    return cell is None or cell != cell or not str(cell).strip()
