"""Rows: JSON lines and CSV files to raw rows that know their file and line. Encodings and syntax only, no meaning.

CSV is read with or without BOM, as UTF-8 or as GBK; cells may hold quotes and line breaks. JSON lines must be objects.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fenzhen.errors import DataError
from fenzhen.taxonomy import nearest


class Row(NamedTuple):
    """One row as it was found: file, line (from 1) and its fields, or what was wrong with it."""

    file: Path
    line: int
    fields: Mapping[str, Any]
    fault: str | None = None


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of one file; a row that can't be parsed comes with its `fault`. Raises DataError for the file itself."""
    if path.suffix.lower() == ".csv":
        return _csv_rows(path)
    if path.suffix.lower() in (".jsonl", ".json"):
        return _json_rows(path)
    raise DataError(
        f"found the suffix {path.suffix or 'none'!r}, expected .jsonl or .csv; convert or rename it", file=path
    )


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The files as given; a folder stands for its .jsonl and .csv files, sorted. Raises DataError for one without."""
    for path in paths:
        if path.is_dir():
            inside = sorted(f for f in path.iterdir() if f.suffix.lower() in (".jsonl", ".csv"))
            if not inside:
                raise DataError("found no .jsonl or .csv file in this folder; name the files", file=path)
            yield from inside
        else:
            yield path


def _text_of(path: Path) -> str:
    """UTF-8 with or without BOM, else GBK as Chinese spreadsheet programs write it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}; check the path", file=path) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue  # the next encoding; the last failure is reported below
    raise DataError("is neither UTF-8 nor GBK text; save it as UTF-8 (in a spreadsheet: CSV UTF-8)", file=path)


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            yield Row(path, number, {}, f"not valid JSON ({error}); expected one object a line")
            continue
        if isinstance(value, dict):
            yield Row(path, number, value)
        else:
            yield Row(path, number, {}, f'found {type(value).__name__}, expected an object like {{"text": …}}')


def _csv_rows(path: Path) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(_text_of(path), newline=""))
    header = [name.strip() for name in next(reader, [])]
    if "text" not in header:
        found = ", ".join(header[:12]) or "nothing"
        raise DataError(
            f"found the columns {found}, expected text; nearest: {nearest('text', header)}", file=path, line=1
        )
    line = reader.line_num + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(path, line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Row(path, line, {}, f"not valid CSV ({error}); look for an unclosed quote")


def _csv_row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) > len(header):
        fault = f"found {len(cells)} cells, the header has {len(header)}; put texts with commas in quotes"
        return Row(path, line, {}, fault)
    fields: dict[str, Any] = dict(zip(header, cells, strict=False))
    for name in ("also", "topics_ok", "emotions_ok"):
        if name in fields:
            fields[name] = [part.strip() for part in fields[name].replace("|", ",").split(",") if part.strip()]
    if "history" in fields and fields["history"].strip():
        try:
            fields["history"] = json.loads(fields["history"])
        except ValueError:
            return Row(path, line, {}, 'history: expected a JSON list of {"role", "text"}; or use JSON lines')
    return Row(path, line, fields)
