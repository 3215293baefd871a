"""Excel workbooks (.xlsx): every sheet with rows, the first row of each its header. Cells are read as their values."""

from collections.abc import Iterator
from datetime import date
from itertools import zip_longest
from pathlib import Path
from zipfile import BadZipFile

from fenzhen.errors import DataError
from fenzhen.learning.files.rows import Row, check_header


def excel_rows(path: Path) -> Iterator[Row]:
    """Raises DataError for what is no workbook, and where openpyxl is missing."""
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as error:
        raise DataError("Excel files need openpyxl; pip install 'fenzhen[train]', or save as CSV", file=path) from error
    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError, ValueError) as error:
        raise DataError(f"no readable .xlsx workbook ({error}); save it again, or as CSV UTF-8", file=path) from error
    try:
        for sheet in workbook.worksheets:
            header: list[str] = []
            for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                cells = [_cell(value) for value in values]
                if not any(cells):
                    continue
                if not header:
                    header = [cell.strip() for cell in cells]
                    check_header(header, f"{path}[{sheet.title}]", number)
                    continue
                yield _row(path, number, sheet.title, header, cells)
    finally:
        workbook.close()


def _row(path: Path, number: int, sheet: str, header: list[str], cells: list[str]) -> Row:
    fields, fault = {}, None
    for name, cell in zip_longest(header, cells, fillvalue=""):
        if name:
            fields[name] = cell
        elif cell:
            fault = f"found {cell!r:.40} in a column without a name; name it in the first row"
    return Row(path, number, fields, fault, sheet)


def _cell(value: object) -> str:
    """As a person reads it: 12 for 12.0, ISO 8601 for times."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)
