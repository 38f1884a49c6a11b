"""Parquet files, by Arrow: only the columns needed are read, as texts, one batch of a row group at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lgs_assets.errors import DumpError
from lgs_assets.places import TIME_ZONE
from lgs_assets.sources.columns import canonical, described
from lgs_assets.sources.compression import seekable
from lgs_assets.sources.copy_arrow import lines_of
from lgs_assets.sources.lines import Lines

BATCH_ROWS = 1 << 14
WHOLE_LIMIT = 2.0**53  # up to here an eight-byte binary number holds every whole number exactly


def parse(path: Path, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines]:
    """The rows of the file, numbered from 1. Raises DumpError if a column is missing, or cannot be written as text."""
    with seekable(stream) as file:
        try:
            parquet = pq.ParquetFile(file)
            header = parquet.schema_arrow.names
            columns = canonical(header, where=f"{path}")
            facts |= {"format": "Parquet"} | described(header, columns)
            kept = [name for name, column in zip(header, columns, strict=True) if column]
            line = 1
            for batch in parquet.iter_batches(BATCH_ROWS, columns=kept):
                yield Lines(tuple(filter(None, columns)), line, _as_copy_text(batch))
                line += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # how Arrow reports damaged data
            raise DumpError(f"{path}: not a readable Parquet file: {error}. Write it again.") from error


def _as_copy_text(batch: pa.RecordBatch) -> bytes:
    return lines_of(map(_shown, batch.columns))


def _shown(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        return _digits(column)
    return _local_time(column) if pa.types.is_timestamp(column.type) else column


def _digits(column: pa.Array) -> pa.Array:
    """Whole numbers without an exponent, as they may be invoice numbers. NaN stands for a missing value."""
    is_whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), WHOLE_LIMIT))
    whole = pc.if_else(is_whole, column, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(whole, pc.if_else(pc.is_nan(column), None, column).cast(pa.string()))


def _local_time(column: pa.Array) -> pa.Array:
    """What the retailer's clock showed, to the microsecond."""
    if column.type.tz:
        column = pc.local_timestamp(column.cast(pa.timestamp(column.type.unit, TIME_ZONE)))
    return column.cast(pa.timestamp("us"), safe=False)
