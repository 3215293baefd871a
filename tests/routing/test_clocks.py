"""Logistics clocks: when each runs, when it rings, what stops it."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from fenzhen.errors import PolicyError
from fenzhen.message import Order
from fenzhen.routing.clocks import CLOCK_NAMES, CLOCKS, Clocks, running, stalls
from fenzhen.routing.typed import read

START = datetime(2026, 11, 11, 8, 0, tzinfo=timezone(timedelta(hours=8)))
STANDARD = Clocks()


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("clock", "order", "hours"),
    [
        ("not_shipped", Order(state="paid", ship_by=START), 0),
        ("not_collected", Order(state="shipped", shipped_at=START), 24),
        ("no_scan", Order(state="shipped", collected_at=START), 48),
        ("no_scan", Order(state="shipped", collected_at=after(-9), last_scan_at=START), 48),
        ("late_soon", Order(state="shipped", paid_at=START), 52),
        ("late", Order(state="shipped", paid_at=START), 59),
        ("not_signed", Order(state="shipped", arrived_at=START), 24),
        ("refund", Order(state="refunding", refund_requested_at=START), 36),
    ],
)
def test_each_clock_rings_on_time(clock: str, order: Order, hours: float) -> None:
    assert clock not in stalls(order, after(hours - 0.01), STANDARD)
    assert clock in stalls(order, after(hours), STANDARD)


@pytest.mark.parametrize(
    "order",
    [
        Order(state="signed", paid_at=START, signed_at=after(1)),
        Order(state="shipped", paid_at=START, signed_at=after(1)),  # signed, whatever the state says
        Order(state="closed", paid_at=START, ship_by=START),
        Order(state="unpaid", ship_by=START),
        Order(state="none", ship_by=START),
        Order(state="refunding", paid_at=START, ship_by=START),  # the refund's clock alone
        Order(state="paid"),
        Order(),
    ],
)
def test_what_stops_a_clock(order: Order) -> None:
    assert stalls(order, after(1000), STANDARD) == ()


def test_a_step_done_starts_the_next_clock() -> None:
    shipped = Order(state="paid", ship_by=START, shipped_at=after(1))
    assert [due.clock for due in running(shipped, STANDARD)] == ["not_collected"]
    seen = Order(state="shipped", shipped_at=START, collected_at=after(2), last_scan_at=after(30))
    assert [(due.clock, due.at) for due in running(seen, STANDARD)] == [("no_scan", after(78))]
    arrived = Order(state="shipped", last_scan_at=START, arrived_at=after(5))
    assert [due.clock for due in running(arrived, STANDARD)] == ["not_signed"]


def test_remote_areas_are_excepted_where_distance_matters() -> None:
    far = Order(state="shipped", paid_at=START, last_scan_at=START, remote_area=True)
    assert stalls(far, after(500), STANDARD) == ()
    assert stalls(Order(state="shipped", shipped_at=START, remote_area=True), after(24), STANDARD) == ("not_collected",)


def test_the_longest_overdue_comes_first_and_no_order_has_no_clock() -> None:
    order = Order(state="shipped", paid_at=START, shipped_at=after(1))
    assert stalls(order, after(60), STANDARD) == ("not_collected", "late_soon", "late")
    assert stalls(None, START, STANDARD) == ()


def test_hours_and_switches_are_settable() -> None:
    clocks = read(Clocks, {"no_scan": 12, "late": False}, "clocks")
    order = Order(state="shipped", paid_at=START, last_scan_at=START)
    assert stalls(order, after(12), clocks) == ("no_scan",)
    assert "late" not in stalls(order, after(500), clocks)
    assert set(CLOCK_NAMES) == set(CLOCKS)


@pytest.mark.parametrize("value", [True, "48", -1, 9999, None, [1]])
def test_bad_hours(value: Any) -> None:
    with pytest.raises(PolicyError, match=r"clocks\.no_scan: found"):
        read(Clocks, {"no_scan": value}, "clocks")
