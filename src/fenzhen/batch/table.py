"""What a table of chat logs is to the rest of `batch`: a Source of rows, good and bad. Opens no file by itself.

Also the two things that every text format needs: lines of bounded length, and a decoding that may fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from fenzhen.errors import DataError

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")
BOM = b"\xef\xbb\xbf"
MAX_LINE = 4_000_000  # bytes of one line: what is longer is no chat log
MAX_RAW = 2_000  # characters of a bad row that are kept


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
    """A table that was looked at. `size` is bytes of a text file, rows of Parquet.

    `kinds` says what each column of JSONL holds (see `read_jsonl`), `schema` is Parquet's (pyarrow.Schema).
    """

    path: Path
    format: Format
    columns: tuple[str, ...]
    size: int
    reader: Callable[["Source"], Iterator[Row | BadRow]]
    encoding: str = "utf-8"
    bom: bool = False
    kinds: dict[str, str] = field(default_factory=dict)
    schema: Any = None

    def rows(self) -> Iterator[Row | BadRow]:
        """Rows in file order."""
        return self.reader(self)


def format_of(path: Path) -> Format:
    """The format that a file name's suffix says. Raises DataError for any other suffix."""
    suffix = path.suffix.lower().removeprefix(".")
    for known in FORMATS:
        if suffix == known:
            return known
    raise DataError(f"found suffix {path.suffix!r}, expected one of .csv .jsonl .parquet", file=path)


def lines_of(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Lines of a file without its BOM. Raises DataError for a line over MAX_LINE bytes."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise DataError(f"a line of over {MAX_LINE:,} bytes; expected one row a line", file=path, line=number)
        yield line.removeprefix(BOM) if number == 1 else line


def decoded(line: bytes, encoding: str) -> str | None:
    """The text of a line, None where its bytes are not of this encoding."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None
