"""Write a table as CSV, JSONL or Parquet, under another name until it is whole. Does not know what the columns mean.

CSV is UTF-8 (with a BOM on request, which Excel needs), Parquet is written in row groups of ROW_GROUP rows.
"""

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from fenzhen.batch.read_parquet import pyarrow
from fenzhen.batch.table import Source, format_of
from fenzhen.errors import DataError

ROW_GROUP = 8_192
REJECT_COLUMNS = ("line", "reason", "row")

Values = Mapping[str, Any]


class Sink(Protocol):
    """Takes rows in order."""

    def write(self, rows: Sequence[Values]) -> None: ...

    def close(self) -> None: ...


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well and is removed when it does not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def open_sink(path: Path, name: Path, source: Source, added: Mapping[str, type]) -> Sink:
    """A sink writing to `path` in the format of `name`: the columns of the source, then the added ones.

    `added` maps each added column to str, float or bool. Raises DataError for a suffix that is no format.
    """
    kind = format_of(name)
    columns = [*source.columns, *added]
    if kind == "csv":
        # Who brought a BOM or GBK opens the file in Excel, which takes UTF-8 without a BOM for GBK.
        return CsvSink(path, columns, bom=source.bom or source.encoding == "gb18030")
    if kind == "jsonl":
        return JsonlSink(path)
    return ParquetSink(path, _schema(name, source, added))


class CsvSink:
    """CSV: lists and objects as JSON, empty cells for what is missing."""

    def __init__(self, path: Path, columns: Sequence[str], *, bom: bool = False) -> None:
        self._file = path.open("w", encoding="utf-8-sig" if bom else "utf-8", errors="backslashreplace", newline="")
        self._columns = columns
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Values]) -> None:
        self._writer.writerows([_cell(row.get(name)) for name in self._columns] for row in rows)

    def close(self) -> None:
        self._file.close()


class JsonlSink:
    """JSONL: each row with its own keys and the added ones."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, rows: Sequence[Values]) -> None:
        self._file.writelines(to_json(row) + b"\n" for row in rows)

    def close(self) -> None:
        self._file.close()


class ParquetSink:
    """Parquet with a fixed schema, by row groups."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._arrow = pyarrow(path)
        self._schema = schema
        self._writer = self._arrow.parquet.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[Values] = []

    def write(self, rows: Sequence[Values]) -> None:
        self._waiting.extend(rows)
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        texts = [f.name for f in self._schema if f.type == self._arrow.string()]
        rows = [{**row, **{name: _text(row.get(name)) for name in texts}} for row in self._waiting]
        self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))
        self._waiting = []


def to_json(row: Values) -> bytes:
    """One line of JSON in readable UTF-8; a lone surrogate is written as its escape."""
    return json.dumps(_plain(row), ensure_ascii=False).encode("utf-8", errors="backslashreplace")


def _schema(name: Path, source: Source, added: Mapping[str, type]) -> Any:
    arrow = pyarrow(name)
    types = {str: arrow.string(), float: arrow.float64(), bool: arrow.bool_()}
    kinds = {"int": arrow.int64(), "number": arrow.float64(), "bool": arrow.bool_()}
    own = source.schema or [arrow.field(c, kinds.get(source.kinds.get(c, ""), arrow.string())) for c in source.columns]
    return arrow.schema([*own, *(arrow.field(column, types[kind]) for column, kind in added.items())])


def _cell(value: object) -> str:
    value = _plain(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return _cell(value).encode("utf-8", errors="backslashreplace").decode("utf-8")


def _plain(value: object) -> object:
    """A value as JSON knows it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def check_writable(path: Path, *others: Path) -> None:
    """Raise DataError unless `path` can be written beside itself and is none of the other files."""
    if path.is_dir() or not path.parent.is_dir():
        raise DataError("expected a file name in a folder that exists", file=path)
    for other in others:
        if path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other)):
            raise DataError("the same file is read and written, or written twice; name another", file=path)
    format_of(path)
