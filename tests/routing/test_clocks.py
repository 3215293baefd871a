"""Logistics clocks: when each runs, when it rings, what stops it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.errors import PolicyError
from fenzhen.message import ORDER_STATES, Message, Order
from fenzhen.routing.clocks import CLOCK_NAMES, CLOCKS, Clocks, running, stalls
from fenzhen.routing.decide import decide
from fenzhen.routing.policy import Policy
from fenzhen.routing.typed import read
from fenzhen.understanding.classification import fixed_classification

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


@pytest.mark.parametrize("value", [True, "48", -1, 8760.5, 9999, None, [1], float("nan"), 10**400])
def test_bad_hours(value: Any) -> None:
    with pytest.raises(PolicyError, match=r"clocks\.no_scan: found"):
        read(Clocks, {"no_scan": value}, "clocks")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"no_scans": 12}, ["'no_scans'", "nearest known: no_scan"]),
        ({"late": "two days"}, ["clocks.late", "e.g. 48, or false"]),
        ([48], ["clocks: found [48]", "a mapping"]),
    ],
)
def test_what_is_refused_says_what_and_where(section: Any, words: list[str]) -> None:
    with pytest.raises(PolicyError) as caught:
        read(Clocks, section, "clocks")
    for word in words:
        assert word in str(caught.value)


# Databases write such times where they know none.
NEVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize("moment", [NEVER, LONG_AGO])
@pytest.mark.parametrize("sent", [NEVER, LONG_AGO, START])
@pytest.mark.parametrize("state", ["paid", "shipped", "refunding"])
def test_no_time_overflows(moment: datetime, sent: datetime, state: Any) -> None:
    order = Order(state=state, paid_at=moment, ship_by=moment, collected_at=moment, refund_requested_at=moment)
    rung = stalls(order, sent, STANDARD)
    assert bool(rung) == (moment < sent or (moment == sent and state == "paid"))  # not shipped by a time is at once
    route = decide(fixed_classification("logistics.track"), Message("到哪了", sent_at=sent, order=order), Policy.load())
    assert route.reasons


times = st.none() | st.integers(-100, 200).map(after)
settings_of = st.sampled_from([False, 0.0, 12.0, 59.0])


@given(
    st.builds(
        Order,
        state=st.sampled_from(ORDER_STATES),
        **dict.fromkeys(("paid_at", "ship_by", "shipped_at", "collected_at", "last_scan_at", "arrived_at"), times),
        signed_at=times,
        refund_requested_at=times,
        remote_area=st.booleans(),
    ),
    st.builds(Clocks, **dict.fromkeys(CLOCKS, settings_of)),
    st.integers(-100, 300),
)
def test_what_has_rung_is_what_was_due_and_rings_on(order: Order, clocks: Clocks, hours: int) -> None:
    rung = stalls(order, after(hours), clocks)
    due = running(order, clocks)
    assert rung == tuple(one.clock for one in due if one.at <= after(hours))
    assert set(rung) <= set(stalls(order, after(hours + 1), clocks))
    assert len({one.clock for one in due}) == len(due)
