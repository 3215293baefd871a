"""Read CSV in UTF-8 (with or without BOM) or GBK/GB18030; which one is seen from the bytes of the whole file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fenzhen.batch.table import BOM, MAX_RAW, BadRow, Row, Source, decoded, lines_of
from fenzhen.errors import DataError


def open_csv(path: Path) -> Source:
    """Read the header. Raises DataError for UTF-16 and a header that can't be read."""
    encoding, bom = _encoding(path)
    with path.open("rb") as file:
        try:
            header = next(csv.reader(_Decoder(file, path, encoding), strict=True), [])
        except csv.Error as error:
            raise DataError(f"can't read the header: {error}; expected comma-separated names", file=path) from error
    return Source(path, "csv", tuple(header), path.stat().st_size, _rows, encoding, bom)


def _rows(source: Source) -> Iterator[Row | BadRow]:
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
                yield BadRow(start, reason, "".join(lines.raw)[:MAX_RAW], lines.done)
                continue
            if not cells:
                continue
            reason = ""
            if lines.broken:
                reason = f"bytes that are not {source.encoding}"
            elif len(cells) != len(source.columns):
                reason = f"found {len(cells)} fields, expected {len(source.columns)} as in the header"
            if reason:
                yield BadRow(start, reason, "".join(lines.raw)[:MAX_RAW], lines.done)
            else:
                yield Row(start, dict(zip(source.columns, cells, strict=True)), lines.done)


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
        for line in lines_of(file, path):
            if not line.isascii():
                readable[decoded(line, encoding) is not None] += 1
    return sum(readable), readable[0]


class _Decoder:
    """Decoded lines for csv.reader; remembers where it is and which lines of the current row were broken."""

    def __init__(self, file: BinaryIO, path: Path, encoding: str) -> None:
        self._lines, self._encoding = lines_of(file, path), encoding
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
        text = decoded(line, self._encoding)
        if text is None:
            self.broken = True
            text = line.decode(self._encoding, errors="replace")
        if len(self.raw) < 20:
            self.raw.append(text)
        return text

    def start_row(self) -> int:
        self.broken, self.raw = False, []
        return self.line + 1
