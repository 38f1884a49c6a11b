"""Rows in and out of the warehouse by COPY: as Arrow tables, every number exact, and as pandas DataFrames.

`contracts.types` says what each type of PostgreSQL becomes.
"""

import io
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import pandas as pd
import pyarrow as pa
from psycopg import sql
from psycopg.abc import Buffer

from lgs_assets.contracts import declaration
from lgs_assets.contracts.contract import Column
from lgs_assets.contracts.types import series, type_of
from lgs_assets.errors import ContractError
from lgs_assets.sources.copy_arrow import as_copy_text, from_copy_text
from lgs_assets.warehouse.catalog import columns
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_table
from lgs_assets.warehouse.publish import Provenance, publish
from lgs_assets.warehouse.schema import SCHEMA, Cursor, driver_cursor

# About a megabyte of most tables.
_LINES_AT_A_TIME = 10_000
# With more, the memory would fill with text where PostgreSQL outpaces the parser.
_PORTIONS_WAITING = 4


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
        present = _columns(cursor, table)
        wanted = [present[name] for name in named(table, list(present), only)]
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in wanted)
        rows = sql.SQL("true" if dumps is None else "dump = any ({})").format(sql.Literal(list(dumps or ())))
        key = sql.SQL(", ").join(map(sql.Identifier, declaration.primary_key(table)))
        query = sql.SQL("select {} from {} where {} order by {} limit {}").format(
            names, sql.Identifier(SCHEMA, table), rows, key, sql.Literal(limit)
        )
        read = _copied(cursor, query, pa.schema([(column.name, type_of(column).frame) for column in wanted]))
    return pd.DataFrame({column.name: series(read[column.name], column) for column in wanted})


def read_rows(warehouse: Warehouse, reads: Mapping[str, Collection[str]]) -> dict[str, pa.Table]:
    """The named columns of tables in the types of `arrow_schema`, numbers exact, in any order, all as of one moment.

    A table with no named column, whose rows are only counted, comes with its primary key.
    Raises ContractError if there is no such table, or if it holds a number with more than six places.
    """
    found = {}
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        for table in reads:
            _columns(cursor, table)
            # All before the first is read. A transaction's snapshot would not do: in an older one, a table that has
            # replaced another seems empty.
            lock_table(cursor, table, "row share")
        for table, named in reads.items():
            only = named or declaration.primary_key(table)
            schema = pa.schema([field for field in declaration.arrow_schema(table) if field.name in only])
            names = sql.SQL(", ").join(map(sql.Identifier, schema.names))
            query = sql.SQL("select {} from {}").format(names, sql.Identifier(SCHEMA, table))
            try:
                found[table] = _copied(cursor, query, schema)
            except pa.ArrowInvalid as error:
                raise ContractError(f"{table} cannot be handed to another engine: {error}") from error
    return found


def as_frame(table: str, rows: pa.Table) -> pd.DataFrame:
    """Rows of a table in memory, as `read_frame` returns them."""
    declared = {column.name: column for column in declaration.columns(table)}
    return pd.DataFrame({name: series(rows[name], declared[name]) for name in rows.column_names})


def frame_of_rows(table: str, rows: Iterable[Mapping[Any, object]]) -> pd.DataFrame:
    """Rows of a table, each with its values by column, as `read_frame` returns them."""
    return as_frame(table, pa.Table.from_pylist(list(rows), schema=declaration.arrow_schema(table)))


def publish_frame(warehouse: Warehouse, table: str, frame: pd.DataFrame, provenance: Provenance) -> int:
    """Replaces `table` with the rows of a frame that has the columns of its contract, in any order. See `publish`.

    Raises ContractError if a column is missing or not in the contract, or if a value breaks the contract.
    """
    declared = declaration.columns(table)
    names = [column.name for column in declared]
    if set(frame.columns) != set(names) or len(frame.columns) != len(names):
        missing, unknown = sorted(set(names) - set(frame.columns)), sorted(map(str, set(frame.columns) - set(names)))
        raise ContractError(
            f"{table}: the columns of the frame are not those of the contract. "
            f"Missing: {', '.join(missing) or 'none'}. Not in the contract: {', '.join(unknown) or 'none'}."
        )
    rows = pa.table({column.name: _values(table, frame[column.name], column) for column in declared})
    return publish_rows(warehouse, table, rows, provenance)


def publish_rows(warehouse: Warehouse, table: str, rows: pa.Table, provenance: Provenance) -> int:
    """Replaces `table` with rows that have the columns of its contract in their order. See `publish`."""
    return publish(warehouse, table, lambda cursor, target: copy_rows(cursor, target, rows), provenance)


def copy_rows(cursor: Cursor, target: sql.Identifier, rows: pa.Table) -> None:
    """Adds the rows to a table that has their columns in their order. PostgreSQL types and checks the values."""
    with cursor.copy(sql.SQL("copy {} from stdin").format(target)) as copy:
        for batch in rows.to_batches():
            if batch.num_rows:
                copy.write(as_copy_text(batch))


def named(table: str, present: Sequence[str], only: Sequence[str] | None) -> Sequence[str]:
    """The columns that a reader asks for, all if it names none. Raises ContractError for a missing one."""
    if unknown := set(only or ()) - set(present):
        raise ContractError(f"{table} has no column {', '.join(sorted(unknown))}; it has {', '.join(present)}.")
    return only or present


def _columns(cursor: Cursor, table: str) -> dict[str, Column]:
    """The table's actual columns, by name."""
    present = {column.name: column for column in columns(cursor, SCHEMA, table)}
    if not present:
        raise ContractError(f"There is no table {table} yet: materialize the asset {table} first.")
    return present


def _copied(cursor: Cursor, query: sql.Composed, schema: pa.Schema) -> pa.Table:
    """The rows of a query. One thread parses the lines received so far while this one receives more."""
    parsed, waiting = [schema.empty_table()], deque[Future[pa.Table]]()
    with cursor.copy(sql.SQL("copy ({}) to stdout").format(query)) as copy, ThreadPoolExecutor(1) as thread:
        for portion in _portions(copy):
            waiting.append(thread.submit(from_copy_text, portion, schema))
            if len(waiting) > _PORTIONS_WAITING:
                parsed.append(waiting.popleft().result())
        parsed += [portion.result() for portion in waiting]
    return pa.concat_tables(parsed)


def _portions(lines: Iterable[Buffer]) -> Iterator[memoryview]:
    remaining = iter(lines)
    for line in remaining:
        text = io.BytesIO()
        text.writelines(chain([line], islice(remaining, _LINES_AT_A_TIME - 1)))
        yield text.getbuffer()


def _values(table: str, values: pd.Series, column: Column) -> pa.Array | pa.ChunkedArray:
    """The values of a frame's column as Arrow has them, NaN as NULL."""
    if (
        pa.types.is_integer(type_of(column).exact)
        and pd.api.types.is_float_dtype(values.dtype)
        and (values % 1 == 0)[values.notna()].all()
    ):
        values = values.astype("Int64")  # pandas turns integers with gaps into floats
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise ContractError(f"{table}.{column.name}: expected {column.type}: {error}") from error
