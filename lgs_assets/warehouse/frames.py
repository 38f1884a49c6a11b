"""pandas DataFrames in and out of the warehouse, by COPY.

| PostgreSQL | read as | null |
|---|---|---|
| integer types | int64 | Int64 where the column may be NULL |
| numeric | float64 | NaN. For plots and statistics; sums that must be exact belong into the warehouse. |
| boolean | bool | boolean where the column may be NULL |
| date, timestamp | datetime64 | NaT |
| text | str | NaN |
| bytea | object, of bytes | None |
"""

import csv
import io
import secrets
from collections.abc import Sequence
from typing import Any

import pandas as pd
from psycopg import sql

from lgs_assets.errors import ContractError
from lgs_assets.warehouse.contract import Column, columns, primary_key
from lgs_assets.warehouse.database import SCHEMA, STAGING, Cursor, Warehouse, driver_cursor
from lgs_assets.warehouse.publish import Provenance, publish

_INTEGERS = {"smallint", "integer", "bigint"}
_TIMES = {"date", "timestamp without time zone", "timestamp with time zone"}


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
        # No text can be mistaken for a NULL that is spelled anew each time.
        null = f"\\N{secrets.token_hex(4)}"
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in wanted)
        rows = sql.SQL("true" if dumps is None else "dump = any ({})").format(sql.Literal(list(dumps or ())))
        key = sql.SQL(", ").join(map(sql.Identifier, primary_key(cursor, SCHEMA, table)))
        query = sql.SQL(
            "copy (select {} from {} where {} order by {} limit {}) to stdout (format csv, null {})"
        ).format(names, sql.Identifier(SCHEMA, table), rows, key, sql.Literal(limit), sql.Literal(null))
        with cursor.copy(query) as copy:
            text = io.BytesIO(b"".join(copy))
    frame = pd.read_csv(
        text,
        names=[column.name for column in wanted],
        dtype={column.name: _dtype(column) for column in wanted},
        na_values=[null],
        keep_default_na=False,
        true_values=["t"],
        false_values=["f"],
        lineterminator="\n",  # else a lone carriage return in a text counts as one
    )
    for column in wanted:
        if column.type in _TIMES:
            frame[column.name] = pd.to_datetime(frame[column.name], format="ISO8601").astype("datetime64[us]")
        elif column.type == "bytea":
            frame[column.name] = [None if pd.isna(v) else bytes.fromhex(v[2:]) for v in frame[column.name]]
    return frame


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
            copy.write(written.to_csv(index=False, header=False, na_rep=null, quoting=csv.QUOTE_NONNUMERIC))

    return publish(warehouse, table, fill, provenance)


def _dtype(column: Column) -> Any:
    if column.type in _INTEGERS:
        return "Int64" if column.nullable else "int64"
    if column.type == "boolean":
        return "boolean" if column.nullable else "bool"
    return "float64" if column.type in {"numeric", "double precision", "real"} else "str"


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
