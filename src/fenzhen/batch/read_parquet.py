"""Read Parquet batch by batch. pyarrow is an extra, imported when the first Parquet file comes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fenzhen.batch.table import BadRow, Row, Source
from fenzhen.errors import DataError

ROWS_A_READ = 1_024  # rows held at a time


def pyarrow(path: Path) -> Any:
    """The pyarrow module with parquet loaded. Raises DataError saying how to install it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("Parquet needs pyarrow; pip install 'fenzhen[batch]'", file=path) from error
    return pyarrow


def open_parquet(path: Path) -> Source:
    """Read the schema. Raises DataError for what is no Parquet file."""
    arrow = pyarrow(path)
    try:
        with arrow.parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"no readable Parquet file: {error}", file=path) from error
    # Python times have microseconds; categories are written back as their values.
    fields = [arrow.field(name, _python_type(arrow, schema.field(i).type)) for i, name in enumerate(schema.names)]
    return Source(path, "parquet", tuple(schema.names), rows, _rows, schema=arrow.schema(fields))


def _python_type(arrow: Any, kind: Any) -> Any:
    if arrow.types.is_dictionary(kind):
        return _python_type(arrow, kind.value_type)
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        return arrow.timestamp("us", tz=kind.tz)
    return kind


def _rows(source: Source) -> Iterator[Row | BadRow]:
    arrow = pyarrow(source.path)
    line = 0
    try:
        with arrow.parquet.ParquetFile(source.path) as file:
            for batch in file.iter_batches(batch_size=ROWS_A_READ):
                table = arrow.Table.from_batches([batch]).cast(source.schema, safe=False)
                for values in table.to_pylist():
                    line += 1
                    yield Row(line, values, line)
    except arrow.ArrowException as error:
        raise DataError(f"the Parquet file is damaged after row {line:,}: {error}", file=source.path) from error
