"""Logistics clocks: which of an order's steps are overdue, or will be, by the order's own times. Hours set per shop.

    not_shipped    paid, not shipped by the time promised (`ship_by`)
    not_collected  shipped, not collected by the courier
    no_scan        collected, no scan since then or since the last one; remote areas excepted
    late_soon      paid, not signed for: will be late; remote areas excepted
    late           paid, not signed for; remote areas excepted
    not_signed     arrived, not signed for
    refund         refund asked for, not handled

A clock runs from the step before to the step it waits for. Says nothing of what follows from a stall, and reads no
wall clock: the caller says what time it is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from fenzhen.message import Order
from fenzhen.routing.typed import CLOSED, Wrong, number

Clock = Literal["not_shipped", "not_collected", "no_scan", "late_soon", "late", "not_signed", "refund"]
CLOCKS: tuple[Clock, ...] = get_args(Clock)
CLOCK_NAMES: Mapping[Clock, str] = {
    "not_shipped": "超时未发货",
    "not_collected": "发货后未揽收",
    "no_scan": "物流停滞",
    "late_soon": "即将超时未签收",
    "late": "超时未签收",
    "not_signed": "到站未签收",
    "refund": "退款超时未处理",
}
_FAR_EXCEPTED: frozenset[Clock] = frozenset({"no_scan", "late_soon", "late"})
_OVER = frozenset({"none", "unpaid", "closed"})  # states in which nothing is waited for


def _hours(value: object) -> float | None:
    if value is False:
        return None
    if value is True or isinstance(value, str):
        raise Wrong("hours, e.g. 48, or false to stop the clock")
    return number(8760.0, "hours, e.g. 48, or false to stop the clock")(value)


Setting = Annotated[float | None, BeforeValidator(_hours)]


@dataclass(frozen=True, slots=True, config=CLOSED)
class Clocks:
    """Hours after which each step is overdue; None: the clock is stopped. Defaults are the usual platform limits."""

    not_shipped: Setting = 0.0
    not_collected: Setting = 24.0
    no_scan: Setting = 48.0
    late_soon: Setting = 52.0
    late: Setting = 59.0
    not_signed: Setting = 24.0
    refund: Setting = 36.0


class Due(NamedTuple):
    """A running clock and when it rings."""

    clock: Clock
    at: datetime


def running(order: Order, clocks: Clocks) -> list[Due]:
    """The clocks that run for an order, the first to ring first. Raises OverflowError at the end of the calendar."""
    return sorted((Due(clock, start + limit) for clock, start, limit in _limits(order, clocks)), key=lambda due: due.at)


def stalls(order: Order | None, at: datetime, clocks: Clocks) -> tuple[Clock, ...]:
    """The clocks that have rung by `at`, the longest overdue first."""
    if order is None:
        return ()
    # Differences, unlike moments, don't overflow: databases write 9999-12-31 where they know no time.
    overdue = [(at - start - limit, clock) for clock, start, limit in _limits(order, clocks)]
    rung = [(by, clock) for by, clock in overdue if by >= timedelta(0)]
    return tuple(clock for _, clock in sorted(rung, key=lambda one: one[0], reverse=True))


def _limits(order: Order, clocks: Clocks) -> list[tuple[Clock, datetime, timedelta]]:
    """Each clock that runs: when it started, and after how long it rings."""
    found = []
    for clock, start in _starts(order):
        hours = getattr(clocks, clock)
        if hours is not None and not (order.remote_area and clock in _FAR_EXCEPTED):
            found.append((clock, start, timedelta(hours=hours)))
    return found


def _starts(order: Order) -> list[tuple[Clock, datetime]]:
    """Each clock whose step before is done and whose own step is not, with the time of the step before."""
    if order.state in _OVER:
        return []
    found: list[tuple[Clock, datetime | None]] = []
    if order.state == "refunding":
        found.append(("refund", order.refund_requested_at))
    elif order.signed_at is None and order.state != "signed":
        shipped = order.state == "shipped" or order.shipped_at is not None
        if not shipped:
            found.append(("not_shipped", order.ship_by))
        seen = [moment for moment in (order.last_scan_at, order.collected_at) if moment is not None]
        if order.arrived_at is not None:
            found.append(("not_signed", order.arrived_at))
        elif seen:
            found.append(("no_scan", max(seen)))
        elif shipped:
            found.append(("not_collected", order.shipped_at))
        found += [("late_soon", order.paid_at), ("late", order.paid_at)]
    return [(clock, start) for clock, start in found if start is not None]
