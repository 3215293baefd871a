"""FAQ files: read all entries or refuse all, saying every problem; write JSON lines, CSV or Excel, replaced at once.

What is written reads back to equal entries. Doesn't know shops, variables' values or the index.
"""

import csv
import io
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import FIELDS, BadField, Entry, entry_of
from fenzhen.knowledge.rows import HEADERS, SEVERAL, SUFFIXES, cell_of, column_name, read_rows
from fenzhen.knowledge.variables import check_variables
from fenzhen.taxonomy import Taxonomy

MOST_TOLD = 5  # problems told in full
EXCEL_CELL = 32_767  # characters: https://support.microsoft.com/office/excel-specifications-and-limits


def read_entries(path: Path, taxonomy: Taxonomy, variables: Collection[str]) -> tuple[Entry, ...]:
    """All entries of a file. `variables` are the names the shop defines.

    Raises DataError, one message for all problems of the file: line, column, found, expected, fix.
    """
    entries: list[Entry] = []
    lines: dict[str, int] = {}
    problems: list[tuple[int, str]] = []
    for row in read_rows(path):
        if row.fault is not None:
            problems.append((row.line, row.fault))
            continue
        try:
            entry = entry_of(row.fields, taxonomy)
            check_variables(entry, variables)
        except BadField as error:
            problems.append((row.line, f"column {column_name(error.field, path)}: {error.reason}"))
            continue
        if entry.id in lines:
            column = column_name("id", path)
            message = (
                f"column {column}: found {entry.id} again, expected each id once; line {lines[entry.id]} has it too"
            )
            problems.append((row.line, message))
            continue
        lines[entry.id] = row.line
        entries.append(entry)
    if problems:
        raise _refused(path, problems)
    return tuple(entries)


def _refused(path: Path, problems: Sequence[tuple[int, str]]) -> DataError:
    (line, first), *others = problems
    told = [first, *(f"line {number}: {message}" for number, message in others[: MOST_TOLD - 1])]
    if more := [str(number) for number, _ in others[MOST_TOLD - 1 :]]:
        told.append(f"and {len(more)} more, lines {', '.join(more[:20])}{' …' if len(more) > 20 else ''}")
    return DataError("; ".join(told), file=path, line=line)


def write_entries(path: Path, entries: Iterable[Entry]) -> int:
    """Write a file whose suffix says its format, replacing what is there in one step. Gives the number of entries.

    Raises DataError for another suffix, and for a text that a workbook can't hold.
    """
    rows = list(entries)
    match path.suffix.lower():
        case ".jsonl":
            content = "".join(json.dumps(e.to_dict(), ensure_ascii=False) + "\n" for e in rows).encode()
        case ".csv":
            content = _csv(rows)
        case ".xlsx":
            content = _excel(path, rows)
        case suffix:
            raise DataError(f"found {suffix or 'no suffix'}, expected {', '.join(SUFFIXES)}; name it so", file=path)
    replace_file(path, content)
    return len(rows)


def replace_file(path: Path, content: bytes) -> None:
    """Write all bytes durably beside `path`, then put them in its place: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _cells(entry: Entry) -> list[str]:
    values: dict[str, Any] = {name: getattr(entry, name) for name in FIELDS}
    cells = []
    for name, value in values.items():
        if name in SEVERAL:
            cells.append(cell_of(value))
        elif value is None:
            cells.append("")
        else:
            cells.append(value if isinstance(value, str) else value.isoformat())
    return cells


def _csv(entries: Sequence[Entry]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADERS.values())
    writer.writerows(map(_cells, entries))
    return text.getvalue().encode("utf-8-sig")  # with a mark, or Excel takes it for GBK


def _excel(path: Path, entries: Sequence[Entry]) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError as error:
        raise DataError("Excel files need openpyxl; pip install openpyxl, or write CSV", file=path) from error
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "FAQ"
    sheet.freeze_panes = "A2"
    for row, cells in enumerate([list(HEADERS.values()), *map(_cells, entries)], start=1):
        for column, text in enumerate(cells, start=1):
            if not text:
                continue
            if len(text) > EXCEL_CELL:
                name = list(HEADERS.values())[column - 1]
                message = (
                    f"column {name}: found {len(text):,} characters, a cell holds {EXCEL_CELL:,}; export as .jsonl"
                )
                raise DataError(message, file=path, line=row)
            cell = sheet.cell(row, column)
            try:
                cell.value = text
            except IllegalCharacterError as error:
                raise DataError(
                    "found a character that Excel can't hold; export as .jsonl", file=path, line=row
                ) from error
            cell.data_type = "s"  # text, also where it starts with = and would be a formula
            cell.number_format = "@"
    for letter, width in zip("ABCDEFGHI", (12, 30, 40, 60, 22, 14, 14, 14, 14), strict=True):
        sheet.column_dimensions[letter].width = width
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()
