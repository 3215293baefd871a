"""Score a chat log: each buyer's row gets the answer that `POST /classify` would give. Same order, constant memory.

Rows of bot and agent pass through with empty answer columns; bad rows go to the rejects file and are left out of the
output. Both files get their names only when they are whole. Does not resume: a run that was killed starts again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fenzhen.answer import COLUMNS, answer, flat, new_id
from fenzhen.batch.rows import RowReader
from fenzhen.batch.table import BadRow, Row, Source
from fenzhen.batch.write import REJECT_COLUMNS, CsvSink, JsonlSink, Sink, check_writable, open_sink, replacing
from fenzhen.errors import DataError, RequestError
from fenzhen.message import Message
from fenzhen.routing.decision import ACTIONS, Decision

CHUNK = 512  # rows held at a time

_FLOATS = ("emotion_score", "needs_human", "in_scope", "confidence", "took_ms")
_TYPES: Mapping[str, type] = {**dict.fromkeys(_FLOATS, float), "recorded": bool, "route_alert": bool}
ANSWER_COLUMNS: Mapping[str, type] = {name: _TYPES.get(name, str) for name in COLUMNS}

TriageLike = Callable[[Sequence[Message]], list[Decision]]
Report = Callable[[int, int], None]  # rows done, how much of Source.size is done


class Recorder(Protocol):
    """The part of ReviewStore that scoring needs."""

    def record(self, rows: Sequence[tuple[str, Decision]]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the rows. `failed` rows were handed off because the model failed, `unrecorded` were not stored.

    `naive_times` were taken as Beijing time, `missing_times` as the time of the run; `out_of_order` rows are older
    than the row above them in their session.
    """

    rows: int
    scored: int
    passed: int
    rejected: int
    actions: Mapping[str, int]
    failed: int
    unrecorded: int
    naive_times: int
    missing_times: int
    out_of_order: int
    seconds: float


def score(
    source: Source,
    output: Path,
    rejects: Path,
    triage: TriageLike,
    *,
    store: Recorder | None = None,
    prefix: str = "",
    chunk: int = CHUNK,
    report: Report = lambda rows, done: None,
) -> Summary:
    """Score a table into `output` and `rejects` (CSV or JSONL: line, reason, row as JSON), replacing both atomically.

    `prefix` goes before every answer column. Raises DataError for paths that clash, unknown suffixes and answer
    columns that the input already has; nothing is written then.
    """
    check_writable(output, source.path)
    check_writable(rejects, source.path, output)
    added = _added(source, prefix)
    started = time.perf_counter()
    with ExitStack() as stack:
        # Left in reverse order: sinks are closed before their files take their names.
        bad_file = stack.enter_context(replacing(rejects))
        file = stack.enter_context(replacing(output))
        bad = stack.enter_context(closing(_open_rejects(bad_file, rejects, source)))
        sink = stack.enter_context(closing(open_sink(file, output, source, added)))
        reader, counts = RowReader(source.columns), Counter[str]()
        for rows in _chunks(source.rows(), chunk):
            kept, refused = _sorted(rows, reader)
            sink.write(_scored(kept, triage, store, prefix, counts))
            bad.write(refused)
            counts["rows"] += len(rows)
            counts["rejected"] += len(refused)
            report(counts["rows"], rows[-1].done)
    return _summary(counts, reader, time.perf_counter() - started)


def _added(source: Source, prefix: str) -> dict[str, type]:
    added = {prefix + name: kind for name, kind in ANSWER_COLUMNS.items()}
    if clash := [name for name in added if name in source.columns]:
        shown = ", ".join(clash)
        raise DataError(
            f"the input already has {shown}, which the answer would add; use another --prefix or rename",
            file=source.path,
        )
    return added


def _open_rejects(file: Path, name: Path, source: Source) -> Sink:
    if name.suffix.lower() == ".jsonl":
        return JsonlSink(file)
    if name.suffix.lower() == ".csv":
        return CsvSink(file, REJECT_COLUMNS, bom=source.bom or source.encoding == "gb18030")
    raise DataError(f"found suffix {name.suffix!r}, expected .csv or .jsonl for rejects", file=name)


def _chunks(rows: Iterator[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    chunk: list[Row | BadRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _sorted(
    rows: Sequence[Row | BadRow], reader: RowReader
) -> tuple[list[tuple[Row, Message | None]], list[dict[str, Any]]]:
    """Rows to keep, each with its Message if it is a buyer's; and rejects with their reasons."""
    kept: list[tuple[Row, Message | None]] = []
    refused: list[dict[str, Any]] = []
    for row in rows:
        if isinstance(row, BadRow):
            refused.append({"line": row.line, "reason": row.reason, "row": row.raw})
            continue
        try:
            kept.append((row, reader.read(row.values)))
        except RequestError as error:
            refused.append({"line": row.line, "reason": str(error), "row": row.values})
    return kept, refused


def _scored(
    kept: Sequence[tuple[Row, Message | None]],
    triage: TriageLike,
    store: Recorder | None,
    prefix: str,
    counts: Counter[str],
) -> list[dict[str, Any]]:
    decisions = triage([message for _, message in kept if message is not None])
    named = [(new_id(), decision) for decision in decisions]
    recorded = store is not None and bool(named) and store.record(named)
    answers = iter([answer(name, decision, recorded=recorded) for name, decision in named])
    counts["scored"] += len(named)
    counts["passed"] += len(kept) - len(named)
    counts["unrecorded"] += len(named) if store is not None and not recorded else 0
    for decision in decisions:
        counts[decision.route.action] += 1
        counts["failed"] += decision.classification is None
    return [{**row.values, **_columns({} if message is None else flat(next(answers)), prefix)} for row, message in kept]


def _columns(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {prefix + name: values.get(name) for name in COLUMNS}


def _summary(counts: Counter[str], reader: RowReader, seconds: float) -> Summary:
    return Summary(
        rows=counts["rows"],
        scored=counts["scored"],
        passed=counts["passed"],
        rejected=counts["rejected"],
        actions={action: counts[action] for action in ACTIONS},
        failed=counts["failed"],
        unrecorded=counts["unrecorded"],
        naive_times=reader.naive_times,
        missing_times=reader.missing_times,
        out_of_order=reader.out_of_order,
        seconds=seconds,
    )
