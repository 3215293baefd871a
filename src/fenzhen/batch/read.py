"""Open a table of chat logs by its suffix (CSV, JSONL, Parquet). Does not know what a row means.

All are read row by row in constant memory. A row that can't be read becomes a BadRow and reading goes on; only a
file that is no table at all raises DataError.
"""

import re
from pathlib import Path

from fenzhen.batch.read_csv import open_csv
from fenzhen.batch.read_jsonl import open_jsonl
from fenzhen.batch.read_parquet import open_parquet
from fenzhen.batch.table import Source, format_of
from fenzhen.errors import DataError
from fenzhen.taxonomy import nearest


def open_source(path: Path, needed: str = "text") -> Source:
    """Look at a file: its columns and encoding. Raises DataError where it is missing, no table, or lacks `needed`."""
    kind = format_of(path)
    if not path.is_file():
        raise DataError("no such file", file=path)
    source = {"csv": open_csv, "jsonl": open_jsonl, "parquet": open_parquet}[kind](path)
    if needed not in source.columns:
        shown = ", ".join(source.columns[:40]) or "none"
        close = nearest(needed, source.columns, n=1)
        fix = f"nearest: {close or 'none'}; rename it"
        if kind == "csv" and len(source.columns) == 1 and (other := re.search("[;\t|]", shown)):
            fix = f"the header seems to be separated by {other[0]!r}; save the file with commas"
        raise DataError(f"no column `{needed}`; columns found: {shown}; {fix}", file=path)
    if twice := sorted({name for name in source.columns if source.columns.count(name) > 1}):
        raise DataError(f"column {twice[0]!r} is there twice; rename one", file=path)
    return source
