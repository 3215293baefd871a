"""CSV: with or without BOM, as UTF-8 or GBK; cells may hold quotes and line breaks."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from fenzhen.errors import DataError
from fenzhen.learning.files.rows import Row, check_header, text_of


def csv_rows(path: Path) -> Iterator[Row]:
    """Raises DataError for a file without header, or one that is separated by something else."""
    reader = csv.reader(io.StringIO(text_of(path), newline=""))
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise DataError("found no header, expected the names of the columns in the first line", file=path, line=1)
    if len(header) == 1 and (other := re.search("[;\t|]", header[0])):
        raise DataError(f"the header seems to be separated by {other[0]!r}; save the file with commas", file=path)
    check_header(header, path, 1)
    line = reader.line_num + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(path, line, header, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        yield Row(path, line, {}, f"not valid CSV ({error}); look for an unclosed quote")


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) > len(header):
        fault = f"found {len(cells)} cells, the header has {len(header)}; put texts with commas in quotes"
        return Row(path, line, {}, fault)
    return Row(path, line, {name: cell for name, cell in zip(header, cells, strict=False) if name})
