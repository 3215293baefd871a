"""Parquet: rows as Python objects; lists and structs stay what they are."""

from collections.abc import Iterator
from pathlib import Path

from fenzhen.errors import DataError
from fenzhen.learning.files.rows import Row


def parquet_rows(path: Path) -> Iterator[Row]:
    """Raises DataError for what is no Parquet file, and where pyarrow is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("Parquet needs pyarrow; pip install 'fenzhen[train]'", file=path) from error
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"no readable Parquet file ({error}); write it again", file=path) from error
    for number, fields in enumerate(table.to_pylist(), start=1):
        yield Row(path, number, fields)
