"""Orders under the clocks of their shops: what is listed and when, other formats, bad rows and bad usage."""

import csv
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from fenzhen.batch.read import open_source
from fenzhen.batch.stalls import NEEDED, Stall, find_stalls
from fenzhen.defaults import default_file
from fenzhen.routing.policies import Policies

Command = Callable[..., tuple[int, str, str]]
NOW = datetime.fromisoformat("2026-11-12T12:00:00+08:00")
EMPTY = "order_id,shop,order_state,order_paid_at,order_ship_by,order_shipped_at,order_last_scan_at,order_remote_area"


def before(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


def order(id: str, state: str, shop: str = "零食", **times: float | bool) -> dict[str, str]:
    """A row: keywords are hours before NOW of each time, or whether the area is remote."""
    row = {"order_id": id, "shop": shop, "order_state": state}
    for name, value in times.items():
        row[f"order_{name}"] = str(value).lower() if isinstance(value, bool) else before(value)
    return row


ORDERS = [
    order("A1", "paid", ship_by=-2, paid_at=40),  # ships in two hours
    order("A2", "shipped", shipped_at=30),  # not collected for six hours
    order("A3", "shipped", shipped_at=60, last_scan_at=49.5, paid_at=1),
    order("A4", "shipped", shipped_at=60, last_scan_at=49.5, remote_area=True),
    order("A5", "shipped", shipped_at=1, paid_at=60),  # late, and so was late soon
    order("A6", "signed", shipped_at=90, paid_at=90),
    order("A7", "shipped", shipped_at=1, paid_at=40),  # late soon in twelve hours
]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, EMPTY.split(","))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    return written(tmp_path / "orders.csv", ORDERS)


@pytest.fixture
def stalls(command: Command, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Look at NOW, under the shipped policy in a folder of its own."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(default_file("policy.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return lambda file, *more: command("stalls", file, "--at", NOW.isoformat(), "--policy", policy, *more)


def cells(out: str) -> dict[str, list[str]]:
    """The rows of the table by order."""
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line[:1] == "│"]
    return {row[1]: row[2:] for row in rows}


def test_the_most_urgent_first_with_their_first_clock(stalls: Command, orders: Path) -> None:
    code, out, err = stalls(orders)
    assert (code, err) == (0, "")
    shown = cells(out)
    assert list(shown) == ["A2", "A3", "A5", "A1"]
    assert shown["A2"] == ["shipped", "发货后未揽收", "2026-11-12 06:00", "-6"]
    assert shown["A3"] == ["shipped", "物流停滞", "2026-11-12 10:30", "-1.5"]
    assert shown["A5"] == ["shipped", "超时未签收", "2026-11-12 11:00", "-1"], "no longer late soon"
    assert shown["A1"] == ["paid", "超时未发货", "2026-11-12 14:00", "2"]
    assert "已超时 3 单(发货后未揽收 1、物流停滞 1、超时未签收 1),6 小时内将超时 1 单" in out


def test_within_looks_further_ahead_or_not_at_all(stalls: Command, orders: Path) -> None:
    shown = cells(stalls(orders, "--within", "12")[1])
    assert shown["A7"] == ["shipped", "即将超时未签收", "2026-11-13 00:00", "12"]
    assert list(cells(stalls(orders, "--within", "0")[1])) == ["A2", "A3", "A5"]


def test_a_moment_ahead_is_not_overdue(stalls: Command, tmp_path: Path) -> None:
    file = written(tmp_path / "o.csv", [order("A", "paid", ship_by=-0.04), order("B", "paid", ship_by=0.04)])
    _, out, _ = stalls(file)
    assert "已超时 1 单(超时未发货 1),6 小时内将超时 1 单" in out
    assert {row[-1] for row in cells(out).values()} == {"0"}


def test_jsonl_and_parquet_are_read_alike(stalls: Command, orders: Path, tmp_path: Path) -> None:
    lines = tmp_path / "orders.jsonl"
    lines.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ORDERS), encoding="utf-8")
    typed = [{name: _typed(name, row.get(name)) for name in EMPTY.split(",")} for row in ORDERS]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(typed), tmp_path / "orders.parquet")
    expected = stalls(orders)[1]
    assert stalls(lines)[1] == expected
    assert stalls(tmp_path / "orders.parquet")[1] == expected


def _typed(name: str, value: str | None) -> object:
    if value is None:
        return None
    if name == "order_remote_area":
        return value == "true"
    return datetime.fromisoformat(value) if name.endswith(("_at", "_by")) else value


def test_each_shop_has_its_own_clocks(stalls: Command, tmp_path: Path) -> None:
    shops = {"快": "clocks: {not_collected: 2}\n", "停": "clocks: {not_collected: false}\n"}
    (tmp_path / "shops").mkdir()
    for shop, text in shops.items():
        (tmp_path / "shops" / f"{shop}.yaml").write_text(text, encoding="utf-8")
    rows = [order(shop, "shipped", shop, shipped_at=5) for shop in ("快", "停", "没有规则的店")]
    assert list(cells(stalls(written(tmp_path / "o.csv", rows))[1])) == ["快"]


def test_output_is_a_whole_table_for_excel(stalls: Command, orders: Path, tmp_path: Path) -> None:
    code, out, _ = stalls(orders, "--output", tmp_path / "o.csv")
    assert code == 0 and "│" not in out and "已超时 3 单" in out
    assert (tmp_path / "o.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader((tmp_path / "o.csv").open(encoding="utf-8-sig")))
    assert [row["订单"] for row in rows] == ["A2", "A3", "A5", "A1"]
    assert list(rows[0].values()) == ["零食", "A2", "shipped", "发货后未揽收", "2026-11-12 06:00", "-6"]


def test_a_long_table_says_where_the_rest_is(stalls: Command, tmp_path: Path) -> None:
    many = [order(f"N{number}", "paid", ship_by=number) for number in range(70)]
    file = written(tmp_path / "o.csv", many)
    assert "另有 20 单,用 --output 写成表格看全部" in stalls(file)[1]
    stalls(file, "--output", tmp_path / "all.csv")
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) == 71


def test_bad_rows_are_reported_by_line_and_the_others_count(stalls: Command, tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [
        order("B1", "运输中"),
        order("B2", ""),
        order("B3", "paid") | {"order_ship_by": "昨天"},
        order("B4", "paid") | {"order_paid_at": "9999-12-31 23:00:00"},
        order("", "paid", ship_by=3),
    ]
    code, out, err = stalls(written(tmp_path / "o.csv", rows))
    assert code == 1
    said = err.splitlines()
    assert [line.split("o.csv:")[1].split(":")[0] for line in said] == ["2", "3", "4", "5"]
    assert "order.state: found '运输中', expected one of none, unpaid, paid" in said[0]
    assert "order_state: found nothing, expected one of none" in said[1]
    assert "order_ship_by: found '昨天', expected a time like" in said[2]
    assert "end of the calendar" in said[3]
    assert cells(out)["第 6 行"] == ["paid", "超时未发货", "2026-11-12 09:00", "-3"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--at", "昨天"], "--at: found '昨天', expected a time like"),
        (["--output", "."], "expected a file name in a folder that exists"),
        (["--output", "o.xlsx"], "found suffix '.xlsx', expected one of"),
        (["--output", "o.jsonl"], "found suffix '.jsonl', expected .csv"),
        (["--within", "1e12"], "Invalid value for '--within'"),
        (["--within", "-1"], "Invalid value for '--within'"),
        (["--alert", "1"], "--alert: found no alerts file, expected one in FENZHEN_ALERTS"),
    ],
)
def test_bad_usage_is_exit_2(stalls: Command, orders: Path, args: list[str], says: str) -> None:
    code, _, err = stalls(orders, *args)
    assert code == 2 and says in err


def test_the_orders_are_never_written_over(stalls: Command, orders: Path) -> None:
    was = orders.read_bytes()
    code, _, err = stalls(orders, "--output", orders)
    assert code == 2 and "the same file is read and written" in err and orders.read_bytes() == was


def test_no_table_of_orders_is_exit_2(stalls: Command, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("单号,状态\nA,paid\n", encoding="utf-8")
    code, _, err = stalls(tmp_path / "o.csv")
    assert code == 2 and "no column `order_state`" in err
    code, _, err = stalls(tmp_path / "none.csv")
    assert code == 2 and "none.csv: no such file" in err


def test_a_time_without_offset_is_beijing_time(stalls: Command, tmp_path: Path) -> None:
    row = {"order_id": "A", "order_state": "paid", "order_ship_by": "2026-11-12 13:00:00"}
    assert cells(stalls(written(tmp_path / "o.csv", [row]))[1])["A"][-1] == "1"


def test_later_clocks_of_an_order_are_found_too_for_who_is_told(tmp_path: Path, policies: Policies) -> None:
    file = written(tmp_path / "o.csv", [order("A", "shipped", shipped_at=60, last_scan_at=50, paid_at=59.5)])
    found = list(find_stalls(open_source(file, NEEDED), policies, NOW, timedelta(hours=6)))
    assert [(one.clock, one.hours_left) for one in found if isinstance(one, Stall)] == [("no_scan", -2), ("late", -0.5)]
