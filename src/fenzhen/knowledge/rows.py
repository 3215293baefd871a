"""Rows of a file that holds FAQ entries: JSON lines, CSV or Excel → (line, fields) in the order of the file.

Knows the columns' Chinese names and how a cell holds several values; what a field may hold, `fenzhen.knowledge.entry`
does. Nothing is skipped: a row or column that can't be read is an error.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import FIELDS, REQUIRED
from fenzhen.taxonomy import nearest

HEADERS: Mapping[str, str] = {
    "id": "编号",
    "question": "问题",
    "variants": "相似问",
    "answer": "答案",
    "topic": "主题",
    "channel": "渠道",
    "product": "商品",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
}
SEVERAL = ("variants", "channel", "product")  # cells that hold one value a line, or values between bars
BARS = ("|", "|")
SUFFIXES = (".jsonl", ".csv", ".xlsx")
_NAMES = {**{name: field for field, name in HEADERS.items()}, **{field: field for field in FIELDS}}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on (the row number in a workbook), its fields, or why it can't be read."""

    line: int
    fields: Mapping[str, Any]
    fault: str | None = None


def read_rows(path: Path) -> list[Row]:
    """Raises DataError for a file that can't be read at all, and for its header."""
    match path.suffix.lower():
        case ".jsonl":
            return list(_json_rows(_text(path)))
        case ".csv":
            return list(_csv_rows(path))
        case ".xlsx":
            return list(_excel_rows(path))
        case suffix:
            raise DataError(f"found {suffix or 'no suffix'}, expected {', '.join(SUFFIXES)}; save it as one", file=path)


def column_name(field: str, path: Path) -> str:
    """What a field is called in messages about a file: its Chinese column in a table."""
    return field if path.suffix.lower() == ".jsonl" else HEADERS.get(field, field)


def cell_of(values: Sequence[str]) -> str:
    """Several values in one cell, one a line; a single value with a bar in it gets a line break, so it isn't split."""
    joined = "\n".join(values)
    return joined + "\n" if len(values) == 1 and any(bar in joined for bar in BARS) else joined


def values_of(cell: str) -> list[str]:
    """The values of such a cell: one a line, or, where there is one line, between bars."""
    if "\n" not in cell and "\r" not in cell:
        return [part.strip() for part in cell.replace(BARS[1], BARS[0]).split(BARS[0]) if part.strip()]
    return [line.strip() for line in cell.splitlines() if line.strip()]


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError("found UTF-16, expected UTF-8; save it as UTF-8 (in Excel: CSV UTF-8)", file=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if path.suffix.lower() == ".csv":  # Excel in China saves plain CSV as GBK
            try:
                return data.decode("gb18030")
            except UnicodeDecodeError:
                pass
        raise DataError(
            f"found bytes that are not UTF-8 ({error.reason}); save it as UTF-8", file=path, line=line
        ) from error


def _json_rows(content: str) -> Iterator[Row]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once)
        except ValueError as error:
            yield Row(number, {}, f"found no valid JSON ({error}), expected one object a line")
            continue
        except RecursionError:
            yield Row(number, {}, "found JSON nested too deep, expected one flat object a line")
            continue
        fault = (
            None if isinstance(value, dict) else f'found {type(value).__name__}, expected {{"id": …, "question": …}}'
        )
        yield Row(number, value if fault is None else {}, fault)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} twice")
    return made


def _csv_rows(path: Path) -> Iterator[Row]:
    content = _text(path)
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if header is None:
                    header = fields_of(cells, path, start)
                else:
                    yield _table_row(start, header, cells)
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"found broken CSV ({error}); check the quotes from here on", file=path, line=start) from error
    if header is None:
        raise DataError("found no header, expected columns like 编号,问题,答案", file=path)


def _excel_rows(path: Path) -> Iterator[Row]:
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as error:
        raise DataError("Excel files need openpyxl; pip install openpyxl, or save as CSV UTF-8", file=path) from error
    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise DataError(f"found no readable .xlsx workbook ({error}); save it again, or as CSV", file=path) from error
    try:
        filled = [sheet for sheet in workbook.worksheets if any(any(row) for row in sheet.iter_rows(values_only=True))]
        if len(filled) != 1:
            names = ", ".join(sheet.title for sheet in filled) or "none"
            raise DataError(f"found entries on the sheets {names}, expected one sheet; move them together", file=path)
        header: list[str] | None = None
        for number, values in enumerate(filled[0].iter_rows(values_only=True), start=1):
            cells = [_cell(value) for value in values]
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = fields_of(cells, path, number)
            else:
                yield _table_row(number, header, cells)
    finally:
        workbook.close()


def fields_of(cells: Sequence[str], path: Path, line: int) -> list[str]:
    """The fields of a header, "" for a column without a name. Raises DataError for unknown, double, missing ones."""
    names = [cell.strip() for cell in cells]
    fields = [_NAMES.get(name, name and "?") for name in names]
    expected = f"expected {'/'.join(HEADERS.values())}"
    for name, field in zip(names, fields, strict=True):
        if field == "?":
            near = nearest(name, _NAMES, 1)
            message = f"column {name}: found an unknown column, {expected}; rename it ({near}?) or remove it"
            raise DataError(message, file=path, line=line)
        if field and fields.count(field) > 1:
            raise DataError(f"column {name}: found it twice, expected it once; remove one", file=path, line=line)
    if missing := [HEADERS[field] for field in REQUIRED if field not in fields]:
        message = f"found no column {'、'.join(missing)}, {expected}; add it to the first row"
        raise DataError(message, file=path, line=line)
    return fields


def _table_row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    fields: dict[str, Any] = {}
    for field, cell in zip_longest(header, cells, fillvalue=""):
        if not field:
            if cell.strip():
                return Row(line, {}, f"found {cell!r:.40} in a column without a name; name it in the first row")
        elif field in SEVERAL:
            fields[field] = values_of(cell)
        elif field == "answer":
            fields[field] = cell
        elif cell.strip():
            fields[field] = cell.strip()
    return Row(line, fields)


def _cell(value: object) -> str:
    """As a person reads it: 12 for 12.0, a date without midnight, other times in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
