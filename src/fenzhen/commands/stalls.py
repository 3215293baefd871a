"""`fenzhen stalls`: orders whose logistics are overdue or soon will be, the most urgent first, in Chinese."""

import csv
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fenzhen.batch.read import open_source
from fenzhen.batch.stalls import NEEDED, Stall, Unread, find_stalls
from fenzhen.batch.table import format_of
from fenzhen.batch.write import check_writable, replacing
from fenzhen.errors import DataError, RequestError
from fenzhen.message import CHINA
from fenzhen.routing.clocks import CLOCK_NAMES
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings

SHOWN = 50
PARCEL, REFUND = "logistics.track", "aftersale.refund"  # whose groups are told
TELLING = 60.0  # seconds in which alerts are delivered; what is left waits in the spool for the service
HEADER = ("店铺", "订单", "状态", "时钟", "到点时间", "剩余小时")


def stalls(
    orders: Path,
    settings: Settings,
    console: Console,
    *,
    within: float,
    at: str | None,
    output: Path | None,
    alert: float | None = None,
) -> bool:
    """Print each order with its first clock, or write them all to a CSV file; tell of clocks that rang in the last
    `alert` hours, an order's later ones too.

    False where rows could not be read or somebody could not be told. Raises DataError for a file that is no table of
    orders and an output that can't be written, RequestError for a time that can't be read and for alerts that nobody
    is named for, AlertError.
    """
    now = _moment(at)
    if output is not None:
        _check(output, orders)
    policies = Policies.load(settings.policy_path(), settings.shops_path())
    seen = list(find_stalls(open_source(orders, NEEDED), policies, now, timedelta(hours=within)))
    clocks = [one for one in seen if isinstance(one, Stall)]
    first = {one.line: one for one in reversed(clocks)}
    rows = sorted(first.values(), key=lambda one: one.due)
    unread = [one for one in seen if isinstance(one, Unread)]
    if output is not None:
        _write(rows, output)
    else:
        _show(rows, console)
    overdue = Counter(CLOCK_NAMES[row.clock] for row in rows if row.hours_left <= 0)
    named = "、".join(f"{name} {count}" for name, count in overdue.most_common())
    late = sum(overdue.values())
    console.print(f"已超时 {late:,} 单{f'({named})' if named else ''},{within:g} 小时内将超时 {len(rows) - late:,} 单")
    told = alert is None or _tell(
        [row for row in clocks if -alert < row.hours_left <= 0], settings, policies, now, console
    )
    for row in unread:
        print(f"fenzhen: {orders}:{row.line}: {row.reason}", file=sys.stderr)
    return told and not unread


def _check(output: Path, orders: Path) -> None:
    check_writable(output, orders)
    if format_of(output) != "csv":
        raise DataError(f"found suffix {output.suffix!r}, expected .csv", file=output)


def _tell(rows: list[Stall], settings: Settings, policies: Policies, now: datetime, console: Console) -> bool:
    """Send an alert for each clock. False where some could not be delivered in time; they stay in the spool."""
    from fenzhen.alerts.alerts import Alerts
    from fenzhen.alerts.config import AlertConfig
    from fenzhen.alerts.event import AlertEvent

    if (file := settings.alerts_path()) is None:
        raise RequestError("--alert: found no alerts file, expected one in FENZHEN_ALERTS", field="alert")
    alerts = Alerts(AlertConfig.load(file), settings.spool / "alerts")
    for row in rows:
        name = row.order or f"第 {row.line} 行"
        reason = f"订单 {name} {CLOCK_NAMES[row.clock]} {_hours(-row.hours_left)} 小时"
        id = f"stall/{row.shop or ''}/{name}/{row.clock}"
        policy, _ = policies.of(row.shop)
        group = policy.groups[policy.owners.get(REFUND if row.clock == "refund" else PARCEL, policy.fallback)]
        event = AlertEvent("stall", id, at=now, shop=row.shop, order_id=row.order, reasons=(reason,))
        alerts.send(replace(event, group=group.id, group_name=group.name))
    alerts.close(TELLING)
    console.print(f"已告警 {alerts.sent + alerts.digested:,} 单,未送达 {alerts.waiting() + alerts.failed:,} 单")
    return not alerts.waiting() and not alerts.failed


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(
            f"--at: found {text!r}, expected a time like 2026-11-11T20:00:00+08:00", field="at"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA)


def _cells(row: Stall) -> tuple[str, ...]:
    due = row.due.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return (
        row.shop or "",
        row.order or f"第 {row.line} 行",
        row.state,
        CLOCK_NAMES[row.clock],
        due,
        _hours(row.hours_left),
    )


def _hours(hours: float) -> str:
    return f"{round(hours, 1) + 0.0:.1f}".removesuffix(".0")  # adding makes a plain zero of a negative one


def _show(rows: list[Stall], console: Console) -> None:
    if not rows:
        return
    table = Table(*HEADER)
    for row in rows[:SHOWN]:
        table.add_row(*map(escape, _cells(row)), style="red" if row.hours_left <= 0 else None)
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"另有 {len(rows) - SHOWN:,} 单,用 --output 写成表格看全部")


def _write(rows: list[Stall], output: Path) -> None:
    with replacing(output) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(map(_cells, rows))
