"""Parquet files, by Arrow: only the columns needed are read, as texts, one batch of a row group at a time."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lgs_assets.errors import DumpError
from lgs_assets.places import TIME_ZONE
from lgs_assets.sources.columns import canonical, described, shown
from lgs_assets.sources.compression import seekable
from lgs_assets.sources.copy_arrow import lines_of
from lgs_assets.sources.lines import LENGTH_LIMITS, Lines, Reject, legible

BATCH_ROWS = 1 << 14
COLUMN_LIMIT_BYTES = 1 << 28
_LONGEST_TEXT = max(LENGTH_LIMITS.values())
# Below this, binary numbers of two, four and eight bytes hold every whole number exactly.
_WHOLE_LIMITS = {pa.float16(): 2.0**11, pa.float32(): 2.0**24, pa.float64(): 2.0**53}
# Into how many steps each column divides one: beyond the limit divided by these, numbers that differ become the same.
# Steps of binary numbers are powers of two, and the largest below a penny is 1/128.
_STEPS = {"invoice_no": 1, "stock_code": 1, "quantity": 1, "customer_id": 1, "unit_price": 128, "invoice_date": 86_400}


def parse(path: Path | str, stream: BinaryIO, facts: dict[str, str]) -> Iterator[Lines | Reject]:
    """The rows of the file, numbered from 1. Raises DumpError if a column is missing, or cannot be written as text."""
    with seekable(stream) as file:
        try:
            schema = pq.read_schema(file)
            header = schema.names
            columns = canonical(header, where=f"{path}")
            facts |= {"format": "Parquet"} | described(header, columns)
            kept = [name for name, column in zip(header, columns, strict=True) if column]
            texts = [name for name in kept if _is_text(schema.field(name).type)]
            parquet = pq.ParquetFile(file, read_dictionary=texts)  # a text that repeats is in memory once
            _check_size(path, parquet.metadata, kept)
            line = 1
            for batch in parquet.iter_batches(BATCH_ROWS, columns=kept):
                yield from _lines(batch, tuple(filter(None, columns)), line)
                line += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # how Arrow reports damaged data
            raise DumpError(f"{path}: not a readable Parquet file: {error}. Write it again.") from error


def _check_size(path: Path | str, metadata: pq.FileMetaData, names: Collection[str]) -> None:
    """Raises DumpError if a column cannot be read in little memory: Arrow unpacks pages as large as they say."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema in names and column.total_uncompressed_size > COLUMN_LIMIT_BYTES:
                raise DumpError(
                    f"{path}, column {shown(column.path_in_schema)}: {column.total_uncompressed_size >> 20:,} MB in "
                    f"one row group; at most {COLUMN_LIMIT_BYTES >> 20} can be read. Write it in smaller row groups."
                )


def _lines(batch: pa.RecordBatch, columns: tuple[str, ...], first: int) -> Iterator[Lines | Reject]:
    """The rows of a batch as lines; those with a number that may have lost digits as rejects."""
    data = lines_of(map(_shown, batch.columns))
    rounded = {row: at for at, name in enumerate(columns) for row in _rounded(name, batch.column(at))}
    if not rounded:
        yield Lines(columns, first, data)
        return
    lines = data.split(b"\n")[:-1]
    after = 0
    for row, at in [*sorted(rounded.items()), (len(lines), None)]:
        if row > after:
            yield Lines(columns, first + after, b"\n".join([*lines[after:row], b""]))
        if at is not None:
            reason = f"a number that may have lost digits, too large for the type {batch.column(at).type}"
            yield Reject(first + row, legible(lines[row]), columns[at], reason)
        after = row + 1


def _rounded(name: str, column: pa.Array) -> list[int]:
    """The rows in which a number is so large that a different one could have become the same."""
    if not pa.types.is_floating(column.type) or name not in _STEPS:
        return []
    numbers = column.to_numpy(zero_copy_only=False)
    return list(np.flatnonzero(np.abs(numbers) >= _WHOLE_LIMITS[column.type] / _STEPS[name]))


def _shown(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        return pc.take(_cut(column.dictionary), column.indices)
    if pa.types.is_floating(column.type):
        return _digits(column)
    return _local_time(column) if pa.types.is_timestamp(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


def _cut(texts: pa.Array) -> pa.Array:
    """The texts as far as it takes to see that they are too long."""
    try:
        if not pa.types.is_binary(texts.type):
            return pc.utf8_slice_codeunits(texts, 0, _LONGEST_TEXT + 1)
    except pa.ArrowInvalid:  # bytes that are not text
        pass
    cut = pc.binary_slice(texts.cast(pa.binary()), 0, 4 * (_LONGEST_TEXT + 1))
    return cut.cast(texts.type, safe=False)  # which of them are valid text shows later


def _digits(column: pa.Array) -> pa.Array:
    """Whole numbers without an exponent, as they may be invoice numbers. NaN stands for a missing value."""
    if pa.types.is_float16(column.type):  # Arrow would print all the digits that it has as a float32
        numbers = column.to_numpy(zero_copy_only=False)
        return pa.array([None if np.isnan(number) else str(number).removesuffix(".0") for number in numbers])
    is_whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _WHOLE_LIMITS[column.type]))
    whole = pc.if_else(is_whole, column, None).cast(pa.int64()).cast(pa.string())
    return pc.coalesce(whole, pc.if_else(pc.is_nan(column), None, column).cast(pa.string()))


def _local_time(column: pa.Array) -> pa.Array:
    """What the retailer's clock showed, to the microsecond."""
    if column.type.tz:
        column = pc.local_timestamp(column.cast(pa.timestamp(column.type.unit, TIME_ZONE)))
    return column.cast(pa.timestamp("us"), safe=False)
