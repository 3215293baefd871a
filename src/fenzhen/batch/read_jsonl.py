"""Read JSONL: one object a line, UTF-8. The file is read twice, first to learn its columns and what they hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Never

from fenzhen.batch.table import MAX_RAW, BadRow, Row, Source, decoded, lines_of
from fenzhen.errors import DataError

MAX_COLUMNS = 1_000


def open_jsonl(path: Path) -> Source:
    """Read all keys and the kinds of their values. Raises DataError for keys without end."""
    kinds: dict[str, str] = {}
    for row in _rows(Source(path, "jsonl", (), 0, _rows)):
        if isinstance(row, Row):
            for name, value in row.values.items():
                kinds[name] = _kind(value, kinds.get(name))
        if len(kinds) > MAX_COLUMNS:
            raise DataError(f"over {MAX_COLUMNS:,} different keys; expected one set of columns", file=path)
    return Source(path, "jsonl", tuple(kinds), path.stat().st_size, _rows, kinds=kinds)


def _kind(value: object, before: str | None) -> str:
    """The narrowest of "bool", "int", "number" and "text" that holds this and all before; "" while all were null."""
    if value is None:
        return before or ""
    now = "text"
    if isinstance(value, bool):
        now = "bool"
    elif isinstance(value, int | float):
        now = "number" if isinstance(value, float) else "int" if abs(value) < 2**53 else "text"
    if before in (None, "", now):
        return now
    return "number" if {before, now} == {"int", "number"} else "text"


def _rows(source: Source) -> Iterator[Row | BadRow]:
    with source.path.open("rb") as file:
        done = 0
        for number, line in enumerate(lines_of(file, source.path), start=1):
            done += len(line)
            if not line.strip():
                continue
            text = decoded(line, "utf-8")
            if text is None:
                yield BadRow(number, "bytes that are not utf-8", line.decode("utf-8", errors="replace")[:MAX_RAW], done)
                continue
            try:
                values = json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError) as error:
                yield BadRow(number, f"not JSON: {error}", text[:MAX_RAW], done)
                continue
            if isinstance(values, dict):
                yield Row(number, values, done)
            else:
                yield BadRow(number, f"found {type(values).__name__}, expected an object", text[:MAX_RAW], done)


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")
