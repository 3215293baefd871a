"""How many rows a second `fenzhen score` does on one machine: made-up sessions through the shipped model, file to file.

    python benchmarks/score_throughput.py [--model DIR] [--rows 20000] [--threads 1] [--format csv]

Prints one JSON object: rows, seconds, rows a second, peak memory in MB, and the share of the time that the model took.
Says nothing of label quality: texts repeat, and only their lengths are like a shop's.
"""

import argparse
import csv
import json
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from fenzhen.batch.read import open_source
from fenzhen.batch.score import score
from fenzhen.commands.parts import opened
from fenzhen.message import CHINA, Message
from fenzhen.routing.decision import Decision
from fenzhen.settings import Settings

BUYER = (
    "在吗",
    "这件还有货吗",
    "身高一米七体重一百三穿多大码",
    "什么时候发货呀,我周五要出差",
    "快递两天没动了,帮我催一下",
    "收到的杯子裂了一道口子,怎么处理",
    "我想退掉,运费谁出",
    "降价了一百多,能补差价吗",
    "发票抬头填错了可以重开吗",
    "转人工",
    "说了三遍都没人回我,再这样我就投诉了",
    "好的,谢谢",
)
AGENT = ("亲,在的", "稍等,我帮您查一下", "这款现货,今天下单明天发", "已经帮您登记了")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--model", type=Path)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv")
    given = options.parse_args()
    settings = Settings.read(model=given.model, threads=given.threads)
    with tempfile.TemporaryDirectory() as folder, opened(settings, record=False) as parts:
        log, output = Path(folder) / "log.csv", Path(folder) / f"scored.{given.format}"
        write_log(log, given.rows)
        model_seconds = 0.0

        def timed(messages: Sequence[Message]) -> list[Decision]:
            nonlocal model_seconds
            started = time.perf_counter()
            decisions = parts.triage(messages)
            model_seconds += time.perf_counter() - started
            return decisions

        timed([Message(text=text) for text in BUYER])  # the first messages load dictionaries
        model_seconds = 0.0
        summary = score(open_source(log), output, output.with_suffix(".rejects.csv"), timed)
    print(
        json.dumps(
            {
                "rows": summary.rows,
                "buyer_rows": summary.scored,
                "threads": given.threads,
                "format": given.format,
                "seconds": round(summary.seconds, 2),
                "rows_per_second": round(summary.rows / summary.seconds),
                "buyer_rows_per_second": round(summary.scored / summary.seconds),
                "triage_share": round(model_seconds / summary.seconds, 3),
                "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


def write_log(path: Path, rows: int) -> None:
    """Sessions of four rows (three of the buyer, one of an agent), twenty of them interleaved at a time."""
    draw = random.Random(7)
    moment = datetime(2026, 11, 11, 20, tzinfo=CHINA)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("session", "sent_at", "role", "text", "shop", "order_state", "product_price"))
        for n in range(rows):
            block, turn, place = n // 80, n // 20 % 4, n % 20
            role, text = ("agent", draw.choice(AGENT)) if turn == 1 else ("buyer", draw.choice(BUYER))
            at = (moment + timedelta(seconds=n)).isoformat()
            writer.writerow((f"s{block * 20 + place}", at, role, text, "", "paid", "59.9"))


if __name__ == "__main__":
    main()
