"""`fenzhen stalls`: orders before and after their clocks ring, by shop, in every format, with alerts and bad rows."""

import csv
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fenzhen.cli import app

PROJECT = Path(__file__).resolve().parents[1]
AT = "2026-11-12T18:00:00+08:00"
ROWS = [
    {"order_id": "1", "shop": "", "order_state": "shipped", "order_shipped_at": "2026-11-11T10:00:00+08:00"},
    {"order_id": "2", "shop": "", "order_state": "shipped", "order_shipped_at": "2026-11-11T20:00:00+08:00"},
    {"order_id": "3", "shop": "", "order_state": "shipped", "order_shipped_at": "2026-11-12T10:00:00+08:00"},
    {
        "order_id": "4",
        "shop": "demo-digital",
        "order_state": "shipped",
        "order_shipped_at": "2026-11-12T07:00:00+08:00",
    },
    {"order_id": "5", "shop": "", "order_state": "signed", "order_shipped_at": "2026-11-01T10:00:00+08:00"},
]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    policy = PROJECT / "serving" / "policy.yaml"
    done = CliRunner().invoke(app, ["stalls", *map(str, arguments), "--policy", str(policy)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_overdue_and_soon_by_the_shops_own_clocks(tmp_path: Path, suffix: str) -> None:
    code, out, _ = run(write(tmp_path / f"a.{suffix}", ROWS), "--at", AT, "--output", tmp_path / "b.csv")
    assert code == 0 and "已超时 1 单(发货后未揽收 1),6 小时内将超时 2 单" in out
    rows = list(csv.reader((tmp_path / "b.csv").open(encoding="utf-8-sig")))
    # The digital shop's parcel has to be collected within 12 hours.
    assert [(row[1], row[5]) for row in rows[1:]] == [("1", "-8"), ("4", "1"), ("2", "2")]


def test_how_far_ahead(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", ROWS)
    assert "0 小时内将超时 0 单" in run(file, "--at", AT, "--within", 0)[1]
    assert "24 小时内将超时 3 单" in run(file, "--at", AT, "--within", 24)[1]


def test_the_sample_of_the_readme() -> None:
    code, out, _ = run(PROJECT / "data" / "samples" / "orders.csv", "--at", AT)
    assert code == 0 and "A1003" in out and "A1002" in out and "A1004" not in out


def test_bad_rows_are_named_and_the_others_counted(tmp_path: Path) -> None:
    bad = {**ROWS[0], "order_id": "9", "order_state": "shiped"}
    code, out, err = run(write(tmp_path / "a.csv", [bad, *ROWS]), "--at", AT)
    assert code == 1 and "已超时 1 单" in out and "a.csv:2: order.state: found 'shiped'" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--at", "tomorrow"], "--at: found 'tomorrow'"),
        (["--alert", "1"], "found no alerts file"),
    ],
)
def test_bad_options(tmp_path: Path, arguments: list[str], words: str) -> None:
    code, _, err = run(write(tmp_path / "a.csv", ROWS), *arguments)
    assert code == 2 and words in err


def test_a_table_without_orders(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("order_id,state\n1,paid\n", encoding="utf-8")
    code, _, err = run(tmp_path / "a.csv")
    assert code == 2 and "no column `order_state`" in err and "nearest" in err


def test_alerts_tell_of_clocks_that_rang_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "alerts.yaml").write_text(
        f'targets: [{{name: a, url: "json://127.0.0.1:{server.server_port}", events: [stall]}}]\n', encoding="utf-8"
    )
    monkeypatch.setenv("FENZHEN_ALERTS", str(tmp_path / "alerts.yaml"))
    monkeypatch.setenv("FENZHEN_SPOOL", str(tmp_path / "spool"))
    file = write(tmp_path / "a.csv", ROWS)
    code, out, _ = run(file, "--at", AT, "--alert", 9)
    assert code == 0 and "已告警 1 单,未送达 0 单" in out
    assert len(told) == 1 and "订单 1 发货后未揽收 8 小时" in told[0] and "物流组" in told[0]
    assert "已告警 0 单" in run(file, "--at", AT, "--alert", 1)[1]
    server.shutdown()
