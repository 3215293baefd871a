"""Rows: a file of any known format to raw rows that know their file and line. Syntax only, no meaning."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fenzhen.errors import DataError

SUFFIXES = (".jsonl", ".json", ".csv", ".xlsx", ".parquet")


class Row(NamedTuple):
    """One row as it was found: file, line (from 1) and its fields, or what was wrong with it.

    The line is the number of the entry in a JSON array or a Parquet file. `sheet` is the one of a workbook.
    """

    file: Path
    line: int
    fields: Mapping[str, Any]
    fault: str | None = None
    sheet: str | None = None

    @property
    def where(self) -> Path | str:
        """The file, with the sheet where there is one, for people."""
        return f"{self.file}[{self.sheet}]" if self.sheet else self.file


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of one file; a row that can't be parsed comes with its `fault`. Raises DataError for the file itself."""
    match path.suffix.lower():
        case ".csv":
            from fenzhen.learning.files.delimited import csv_rows as read
        case ".jsonl" | ".json":
            from fenzhen.learning.files.json_files import json_rows as read
        case ".xlsx":
            from fenzhen.learning.files.excel import excel_rows as read
        case ".parquet":
            from fenzhen.learning.files.parquet import parquet_rows as read
        case ".xls" | ".et":
            raise DataError("found an old workbook format, expected .xlsx; save it as .xlsx or CSV UTF-8", file=path)
        case suffix:
            known = ", ".join(SUFFIXES)
            raise DataError(f"found the suffix {suffix or 'none'!r}, expected {known}; convert or rename it", file=path)
    return read(path)


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The files as given; a folder stands for the files in it of a known suffix, sorted.

    Raises DataError for a folder without any.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES)
            if not inside:
                raise DataError(f"found no {', '.join(SUFFIXES)} file in this folder; name the files", file=path)
            yield from inside
        else:
            yield path


def check_header(header: Sequence[str], where: Path | str, line: int) -> None:
    """Raise DataError where two columns bear one name: the second would take the place of the first."""
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise DataError(f"column {twice[0]!r} is there twice; rename one", file=where, line=line)


def text_of(path: Path) -> str:
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
