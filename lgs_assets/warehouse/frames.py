"""pandas DataFrames in and out of the warehouse, by COPY.

| PostgreSQL | read as | null |
|---|---|---|
| integer types | int64 | Int64 where the column may be NULL |
| numeric | float64 | NaN. For plots and statistics; sums that must be exact belong into the warehouse. |
| boolean | bool | boolean where the column may be NULL |
| date, timestamp | datetime64, in UTC where the type has a time zone | NaT |
| text | str | NaN |
| bytea | object, of bytes | None |
"""

import csv
import io
import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from psycopg import sql
from psycopg.abc import Buffer

from lgs_assets.errors import ContractError
from lgs_assets.warehouse.catalog import Column, columns, primary_key
from lgs_assets.warehouse.database import SCHEMA, STAGING, Cursor, Warehouse, driver_cursor
from lgs_assets.warehouse.publish import Provenance, publish

_NULL = "\\N"
"""Of what is read. A text that looks like it comes in quotes."""
# About a megabyte of most tables.
_LINES_AT_A_TIME = 10_000

_INTEGERS = {"smallint", "integer", "bigint"}
_TIMES = {"date": None, "timestamp without time zone": None, "timestamp with time zone": "UTC"}


def read_frame(
    warehouse: Warehouse,
    table: str,
    only: Sequence[str] | None = None,
    *,
    dumps: Sequence[str] | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """The rows of a table in the order of its primary key; `only` the named columns, the `dumps`, the first `limit`.

    Raises ContractError if the table or a column does not exist.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        present = {column.name: column for column in columns(cursor, SCHEMA, table)}
        if not present:
            raise ContractError(f"There is no table {table} yet: materialize the asset {table} first.")
        if unknown := set(only or ()) - set(present):
            raise ContractError(f"{table} has no column {', '.join(sorted(unknown))}; it has {', '.join(present)}.")
        wanted = [present[name] for name in only or present]
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in wanted)
        rows = sql.SQL("true" if dumps is None else "dump = any ({})").format(sql.Literal(list(dumps or ())))
        key = sql.SQL(", ").join(map(sql.Identifier, primary_key(cursor, SCHEMA, table)))
        query = sql.SQL(
            "copy (select {} from {} where {} order by {} limit {}) to stdout (format csv, null {})"
        ).format(names, sql.Identifier(SCHEMA, table), rows, key, sql.Literal(limit), sql.Literal(_NULL))
        with cursor.copy(query) as copy:
            read = _parsed(copy, wanted)
    return pd.DataFrame({column.name: _read(read[column.name], column) for column in wanted})


def publish_frame(warehouse: Warehouse, table: str, frame: pd.DataFrame, provenance: Provenance) -> int:
    """Replaces `table` by the rows of a frame with the columns of its contract, in any order. See `publish`.

    Raises ContractError if a column is missing or not in the contract, or if a value breaks the contract.
    """

    def fill(cursor: Cursor, target: sql.Identifier) -> None:
        declared = {column.name: column for column in columns(cursor, STAGING, table)}
        if set(frame.columns) != set(declared):
            missing, unknown = sorted(set(declared) - set(frame.columns)), sorted(set(frame.columns) - set(declared))
            raise ContractError(
                f"{table}: the frame has not the columns of the contract. "
                f"Missing: {', '.join(missing) or 'none'}. "
                f"Not in the contract: {', '.join(map(str, unknown)) or 'none'}."
            )
        null = f"\\N{secrets.token_hex(4)}"
        names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
        # pandas leaves some texts with a carriage return unquoted unless it quotes all, the NULLs among them.
        statement = sql.SQL("copy {0} ({1}) from stdin (format csv, null {2}, force_null ({1}))").format(
            target, names, sql.Literal(null)
        )
        written = frame.assign(**{name: _written(frame[name], column) for name, column in declared.items()})
        with cursor.copy(statement) as copy:
            # All that pandas asks of a file is that it takes text; its annotations ask for more.
            written.to_csv(copy, index=False, header=False, na_rep=null, quoting=csv.QUOTE_NONNUMERIC)  # type: ignore[call-overload]

    return publish(warehouse, table, fill, provenance)


def _parsed(lines: Iterable[Buffer], wanted: Sequence[Column]) -> pa.Table:
    """The lines of COPY's CSV as an Arrow table. One thread parses what has come while this one takes what comes."""
    schema = pa.schema([(column.name, _arrow_type(column)) for column in wanted])
    convert = pyarrow.csv.ConvertOptions(
        column_types=schema,
        null_values=[_NULL],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)

    def table(text: memoryview) -> pa.Table:
        # One block, which has to hold the longest line.
        read = pyarrow.csv.ReadOptions(column_names=schema.names, block_size=len(text))
        return pyarrow.csv.read_csv(pa.py_buffer(text), read, parse, convert)

    with ThreadPoolExecutor(max_workers=1) as thread:
        return pa.concat_tables([schema.empty_table(), *thread.map(table, _portions(lines))])


def _portions(lines: Iterable[Buffer]) -> Iterator[memoryview]:
    remaining = iter(lines)
    for line in remaining:
        text = io.BytesIO()
        text.writelines(chain([line], islice(remaining, _LINES_AT_A_TIME - 1)))
        yield text.getbuffer()


def _arrow_type(column: Column) -> pa.DataType:
    if column.type in _INTEGERS:
        return pa.int64()
    if column.type in _TIMES:
        return pa.timestamp("us", _TIMES[column.type])
    if column.type == "boolean":
        return pa.bool_()
    return pa.float64() if column.type in {"numeric", "double precision", "real"} else pa.large_string()


def _read(values: pa.ChunkedArray, column: Column) -> pd.Series:
    """The values as pandas keeps those of a column of this type."""
    if column.type == "bytea":
        texts = values.to_pylist()
        return pd.Series([None if text is None else bytes.fromhex(text[2:]) for text in texts], dtype=object)
    text: dict[pa.DataType, Any] = {pa.large_string(): pd.StringDtype(na_value=math.nan)}
    with_gaps = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    series: pd.Series = values.to_pandas(types_mapper=(text | with_gaps if column.nullable else text).get)
    return series


def _written(values: pd.Series, column: Column) -> pd.Series:
    """The values in a form whose text PostgreSQL reads as the column's type."""
    if column.type == "bytea":
        return values.map(lambda value: value if value is None else f"\\x{value.hex()}")
    if (
        column.type in _INTEGERS
        and pd.api.types.is_float_dtype(values.dtype)
        and (values % 1 == 0)[values.notna()].all()
    ):
        return values.astype("Int64")  # pandas makes floats of integers with gaps
    return values
