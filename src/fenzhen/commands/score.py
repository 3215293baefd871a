"""`fenzhen score`: progress and summary in Chinese around `fenzhen.batch.score`, which does the work."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fenzhen.batch.rows import misspelt
from fenzhen.batch.score import Report, Summary, score
from fenzhen.batch.table import Source
from fenzhen.batch.write import check_writable
from fenzhen.commands.parts import ACTION_NAMES, Parts

LINE_EVERY = 10.0  # seconds between lines where there is no terminal


def score_file(source: Source, output: Path, rejects: Path | None, parts: Parts, *, prefix: str = "") -> bool:
    """Score a table and print what came of it. False if the model failed on rows or a store could not keep them.

    Without a name for rejects they go beside the output, if there are any.
    """
    for found, known in misspelt(source.columns):
        print(f"注意:列 {found} 不会被读取,是否应为 {known}?", file=sys.stderr)
    check_writable(output, source.path)
    named, rejects = rejects is not None, rejects or default_rejects(output)
    with _ends_cleanly(), _progress(source) as report:
        summary = score(source, output, rejects, parts.triage, store=parts.store, prefix=prefix, report=report)
    if not named and not summary.rejected:
        rejects.unlink()  # nobody asked for an empty file
    print("\n".join(lines_of(summary, output, rejects)))
    return not summary.failed and not summary.unrecorded


def default_rejects(output: Path) -> Path:
    """Where rejects go when no file is named: `scored.csv` -> `scored.rejects.csv` (CSV beside Parquet)."""
    suffix = output.suffix if output.suffix.lower() == ".jsonl" else ".csv"
    return output.with_name(f"{output.stem}.rejects{suffix}")


def lines_of(summary: Summary, output: Path, rejects: Path) -> list[str]:
    """The summary in Chinese, a line each."""
    refused = f"退回 {summary.rejected:,} 行(原因见 {rejects})" if summary.rejected else "没有退回"
    share = max(summary.scored, 1)
    actions = " · ".join(f"{ACTION_NAMES[a]} {n:,}({n / share:.0%})" for a, n in summary.actions.items())
    lines = [
        f"共 {summary.rows:,} 行:分诊 {summary.scored:,} 行,客服与机器人 {summary.passed:,} 行原样保留,{refused}",
        f"去向:{actions}",
        f"用时 {summary.seconds:.1f} 秒,每秒 {summary.rows / max(summary.seconds, 1e-9):,.0f} 行;结果在 {output}",
    ]
    for count, text in (
        (summary.naive_times, "行时间没有时区,按北京时间处理"),
        (summary.missing_times, "行没有时间,按现在处理(营业时间等规则可能不准)"),
        (summary.out_of_order, "行早于同一会话的上一行;请按时间排序,否则上文不准"),
        (summary.failed, "行模型出错,已转人工;详见日志"),
        (summary.unrecorded, "行没能写入存储"),
    ):
        if count:
            lines.append(f"注意:{count:,} {text}")
    return lines


@contextmanager
def _ends_cleanly() -> Iterator[None]:
    """A polite kill is an exit like Ctrl-C: what was half written is removed. In the main thread only."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(source: Source) -> Iterator[Report]:
    if not sys.stderr.isatty():
        yield _plain_lines(source.size)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("分诊中", total=max(source.size, 1))
        yield lambda rows, done: progress.update(task, completed=done, description=f"分诊中 {rows:,} 行")


def _plain_lines(size: int) -> Report:
    started = last = time.monotonic()

    def report(rows: int, done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY:
            last = now
            speed = rows / (now - started)
            print(f"已处理 {rows:,} 行({done / max(size, 1):.0%}),每秒 {speed:,.0f} 行", file=sys.stderr, flush=True)

    return report
