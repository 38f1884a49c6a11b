"""Arrow tables in and out of the warehouse, by COPY, and as DataFrames: for engines that compute elsewhere.

Apart from `frames`, whose numbers are floats: here every number is exact.
"""

from collections.abc import Collection
from typing import cast

import pandas as pd
import pyarrow as pa
from psycopg import sql

from lgs_assets.contracts.declaration import arrow_schema
from lgs_assets.errors import ContractError
from lgs_assets.sources.copy_arrow import as_copy_text, from_copy_text
from lgs_assets.warehouse.catalog import columns
from lgs_assets.warehouse.database import SCHEMA, Cursor, Warehouse, driver_cursor

# Without these, pandas makes floats of integers, and objects of booleans, where some are NULL.
_NULLABLE = {
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def read_rows(warehouse: Warehouse, table: str, only: Collection[str]) -> pa.Table:
    """The named columns of a table as `arrow_schema` types them, every number exactly, in any order.

    Raises ContractError if there is no such table, or if it holds a number of more than six places.
    """
    fields = [field for field in arrow_schema(table) if field.name in only]
    names = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if not columns(cursor, SCHEMA, table):
            raise ContractError(f"There is no table {table} yet: materialize the asset {table} first.")
        query = sql.SQL("copy (select {} from {}) to stdout").format(names, sql.Identifier(SCHEMA, table))
        with cursor.copy(query) as copy:
            text = b"".join(copy)
    try:
        return from_copy_text(text, pa.schema(fields))
    except pa.ArrowInvalid as error:
        raise ContractError(f"{table} cannot be handed to another engine: {error}") from error


def copy_rows(cursor: Cursor, target: sql.Identifier, rows: pa.Table) -> None:
    """Adds the rows to a table that has their columns in their order. PostgreSQL types and judges the values."""
    with cursor.copy(sql.SQL("copy {} from stdin").format(target)) as copy:
        for batch in rows.to_batches():
            if batch.num_rows:
                copy.write(as_copy_text(batch))


def as_frame(table: str, rows: pa.Table) -> pd.DataFrame:
    """Rows of a table as `read_frame` gives them: typed by the contract, decimals as the nearest floats."""
    schema = arrow_schema(table)
    return pd.DataFrame({name: _series(rows[name], schema.field(name)) for name in rows.column_names})


def _series(values: pa.ChunkedArray, field: pa.Field) -> pd.Series:
    if pa.types.is_decimal(field.type):
        values, dtype = values.cast(pa.string()).cast(pa.float64()), "float64"  # by way of the text, the nearest float
    elif pa.types.is_integer(field.type):
        dtype = "Int64" if field.nullable else "int64"
    elif pa.types.is_boolean(field.type):
        dtype = "boolean" if field.nullable else "bool"
    else:
        dtype = "datetime64[us]" if pa.types.is_temporal(field.type) else "str"
    return cast("pd.Series", values.to_pandas(types_mapper=_NULLABLE.get, date_as_object=False).astype(dtype))
