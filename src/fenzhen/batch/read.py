"""Read a table (CSV, JSONL or Parquet, by suffix) row by row in constant memory. Does not know what a row means.

A row that can't be read becomes a BadRow and reading goes on; only a file that is no table at all raises DataError.
CSV may be UTF-8 (with or without BOM) or GBK/GB18030; which one is seen from the bytes of the whole file.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, Never

from fenzhen.errors import DataError
from fenzhen.taxonomy import nearest

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")
BOM = b"\xef\xbb\xbf"
MAX_LINE = 4_000_000  # bytes of one line: what is longer is no chat log
MAX_COLUMNS = 1_000
_ROWS_A_READ = 1_024  # Parquet rows held at a time


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `line` counts from 1 (Parquet: rows), `done` says how much of `Source.size` is read."""

    line: int
    values: dict[str, Any]
    done: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be read, and why. `raw` is its text as far as it could be decoded."""

    line: int
    reason: str
    raw: str
    done: int


@dataclass(frozen=True)
class Source:
    """An opened table. `size` is bytes of a text file, rows of Parquet; `schema` is Parquet's (pyarrow.Schema)."""

    path: Path
    format: Format
    columns: tuple[str, ...]
    size: int
    encoding: str = "utf-8"
    bom: bool = False
    kinds: dict[str, str] = field(default_factory=dict)
    schema: Any = None

    def rows(self) -> Iterator[Row | BadRow]:
        """Rows in file order."""
        reader = {"csv": _csv_rows, "jsonl": _jsonl_rows, "parquet": _parquet_rows}[self.format]
        return reader(self)


def format_of(path: Path) -> Format:
    """The format that a file name's suffix says. Raises DataError for any other suffix."""
    suffix = path.suffix.lower().removeprefix(".")
    for known in FORMATS:
        if suffix == known:
            return known
    raise DataError(f"found suffix {path.suffix!r}, expected one of .csv .jsonl .parquet", file=path)


def open_source(path: Path) -> Source:
    """Look at a file: its columns and encoding. Raises DataError where it is missing, no table, or has no `text`."""
    kind = format_of(path)
    if not path.is_file():
        raise DataError("no such file", file=path)
    source = {"csv": _open_csv, "jsonl": _open_jsonl, "parquet": _open_parquet}[kind](path)
    if "text" not in source.columns:
        shown = ", ".join(source.columns[:40]) or "none"
        close = nearest("text", source.columns, n=1)
        raise DataError(f"no column `text`; columns found: {shown}; nearest: {close or 'none'}; rename it", file=path)
    if twice := sorted({name for name in source.columns if source.columns.count(name) > 1}):
        raise DataError(f"column {twice[0]!r} is there twice; rename one", file=path)
    return source


def pyarrow(path: Path) -> Any:
    """The pyarrow module with parquet loaded. Raises DataError saying how to install it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("Parquet needs pyarrow; pip install 'fenzhen[batch]'", file=path) from error
    return pyarrow


# --- text files -----------------------------------------------------------------------------------------------------


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise DataError(f"a line of over {MAX_LINE:,} bytes; expected one row a line", file=path, line=number)
        yield line.removeprefix(BOM) if number == 1 else line


def _encoding(path: Path) -> tuple[str, bool]:
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("the file is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)", file=path)
    lines, broken = _broken_lines(path, "utf-8")
    # A few bad lines in a UTF-8 file are bad lines: read as GBK, all the others would turn to nonsense.
    if broken * 2 > lines and _broken_lines(path, "gb18030")[1] < broken:
        return "gb18030", False
    return "utf-8", start.startswith(BOM)


def _broken_lines(path: Path, encoding: str) -> tuple[int, int]:
    """Number of lines that are not plain ASCII, and how many of them the encoding can't read."""
    with path.open("rb") as file:
        readable = [0, 0]
        for line in _lines(file, path):
            if not line.isascii():
                readable[_decoded(line, encoding) is not None] += 1
    return sum(readable), readable[0]


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


class _Decoder:
    """Decoded lines for csv.reader; remembers where it is and which lines of the current row were broken."""

    def __init__(self, file: BinaryIO, path: Path, encoding: str) -> None:
        self._lines, self._encoding = _lines(file, path), encoding
        self.line = 0
        self.done = 0
        self.broken = False
        self.raw: list[str] = []

    def __iter__(self) -> "_Decoder":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        self.done += len(line)
        text = _decoded(line, self._encoding)
        if text is None:
            self.broken = True
            text = line.decode(self._encoding, errors="replace")
        if len(self.raw) < 20:
            self.raw.append(text)
        return text

    def start_row(self) -> int:
        self.broken, self.raw = False, []
        return self.line + 1


def _open_csv(path: Path) -> Source:
    encoding, bom = _encoding(path)
    with path.open("rb") as file:
        try:
            header = next(csv.reader(_Decoder(file, path, encoding), strict=True), [])
        except csv.Error as error:
            raise DataError(f"can't read the header: {error}; expected comma-separated names", file=path) from error
    return Source(path, "csv", tuple(header), path.stat().st_size, encoding, bom)


def _csv_rows(source: Source) -> Iterator[Row | BadRow]:
    with source.path.open("rb") as file:
        lines = _Decoder(file, source.path, source.encoding)
        reader = csv.reader(lines, strict=True)
        next(reader)
        while True:
            start = lines.start_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # The reader starts afresh on the next line; what an unclosed quote swallowed is named here.
                reason = f"{error}; lines {start} to {lines.line}, check the quotes"
                yield BadRow(start, reason, "".join(lines.raw)[:2_000], lines.done)
                continue
            if not cells:
                continue
            reason = ""
            if lines.broken:
                reason = f"bytes that are not {source.encoding}"
            elif len(cells) != len(source.columns):
                reason = f"found {len(cells)} fields, expected {len(source.columns)} as in the header"
            if reason:
                yield BadRow(start, reason, "".join(lines.raw)[:2_000], lines.done)
            else:
                yield Row(start, dict(zip(source.columns, cells, strict=True)), lines.done)


def _open_jsonl(path: Path) -> Source:
    kinds: dict[str, str] = {}
    for row in _jsonl_rows(Source(path, "jsonl", (), 0)):
        if isinstance(row, Row):
            for name, value in row.values.items():
                kinds[name] = _kind(value, kinds.get(name))
        if len(kinds) > MAX_COLUMNS:
            raise DataError(f"over {MAX_COLUMNS:,} different keys; expected one set of columns", file=path)
    return Source(path, "jsonl", tuple(kinds), path.stat().st_size, kinds=kinds)


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


def _jsonl_rows(source: Source) -> Iterator[Row | BadRow]:
    with source.path.open("rb") as file:
        done = 0
        for number, line in enumerate(_lines(file, source.path), start=1):
            done += len(line)
            if not line.strip():
                continue
            text = _decoded(line, "utf-8")
            if text is None:
                yield BadRow(number, "bytes that are not utf-8", line.decode("utf-8", errors="replace")[:2_000], done)
                continue
            try:
                values = json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError) as error:
                yield BadRow(number, f"not JSON: {error}", text[:2_000], done)
                continue
            if isinstance(values, dict):
                yield Row(number, values, done)
            else:
                yield BadRow(number, f"found {type(values).__name__}, expected an object", text[:2_000], done)


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


# --- Parquet --------------------------------------------------------------------------------------------------------


def _open_parquet(path: Path) -> Source:
    arrow = pyarrow(path)
    try:
        with arrow.parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"no readable Parquet file: {error}", file=path) from error
    # Python times have microseconds; categories are written back as their values.
    fields = [arrow.field(name, _python_type(arrow, schema.field(i).type)) for i, name in enumerate(schema.names)]
    return Source(path, "parquet", tuple(schema.names), rows, schema=arrow.schema(fields))


def _python_type(arrow: Any, kind: Any) -> Any:
    if arrow.types.is_dictionary(kind):
        return _python_type(arrow, kind.value_type)
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        return arrow.timestamp("us", tz=kind.tz)
    return kind


def _parquet_rows(source: Source) -> Iterator[Row | BadRow]:
    arrow = pyarrow(source.path)
    line = 0
    try:
        with arrow.parquet.ParquetFile(source.path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_A_READ):
                table = arrow.Table.from_batches([batch]).cast(source.schema, safe=False)
                for values in table.to_pylist():
                    line += 1
                    yield Row(line, values, line)
    except arrow.ArrowException as error:
        raise DataError(f"the Parquet file is damaged after row {line:,}: {error}", file=source.path) from error
