"""Column types, and what each becomes elsewhere: the one place that maps types.

| PostgreSQL | in pandas | where the column may be NULL |
|---|---|---|
| integer types | int64 | Int64 |
| numeric | float64: for plots and statistics; sums that must be exact belong in the warehouse | NaN |
| boolean | bool | boolean |
| date, timestamp | datetime64, in UTC where the type has a time zone | NaT |
| text and any other type | str | NaN |
| bytea | object, of bytes | None |
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lgs_assets.contracts.contract import Column

if TYPE_CHECKING:  # contracts are read by what must be small, too, such as planning a list, and pages
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class ColumnType:
    """A type of PostgreSQL in each of the forms that its values take."""

    name: str
    """As PostgreSQL's catalog spells it."""
    exact: "pa.DataType"
    """In Arrow and Parquet, with nothing lost."""
    frame: "pa.DataType"
    """In Arrow, on the way into pandas."""
    in_pandas: str | None = None
    """The type in pandas by its name there, where it is not the one that Arrow chooses."""
    with_gaps: str | None = None
    """The type in pandas of a column that may be NULL; without it, pandas makes floats or objects of the values."""
    cast: str = ""
    """As a model's result is cast to it, where that is not its name."""


_NAMES = {
    "boolean": "boolean",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "decimal": "numeric",
    "real": "real",
    "double precision": "double precision",
    "date": "date",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "text": "text",
    "jsonb": "jsonb",
    "bytea": "bytea",
}
"""The types that the platform can carry, as the parser of contracts spells them."""


@cache
def _types() -> dict[str, ColumnType]:
    import pyarrow as pa

    microseconds, moment, gaps = pa.timestamp("us"), pa.timestamp("us", "UTC"), "Int64"
    return {
        kind.name: kind
        for kind in (
            ColumnType("boolean", pa.bool_(), pa.bool_(), with_gaps="boolean"),
            ColumnType("smallint", pa.int16(), pa.int64(), with_gaps=gaps),
            ColumnType("integer", pa.int32(), pa.int64(), with_gaps=gaps),
            ColumnType("bigint", pa.int64(), pa.int64(), with_gaps=gaps),
            # Money has six places; no sum of it comes near 32 digits before the point.
            ColumnType("numeric", pa.decimal128(38, 6), pa.float64(), cast="decimal(38, 6)"),
            ColumnType("real", pa.float32(), pa.float64()),
            ColumnType("double precision", pa.float64(), pa.float64()),
            ColumnType("date", pa.date32(), microseconds),
            ColumnType("timestamp without time zone", microseconds, microseconds),
            ColumnType("timestamp with time zone", moment, moment),
            ColumnType("text", pa.string(), pa.large_string(), in_pandas="str"),
            ColumnType("jsonb", pa.string(), pa.large_string(), in_pandas="str"),
            ColumnType("bytea", pa.binary(), pa.binary()),
        )
    }


def type_of(column: Column) -> ColumnType:
    """The type of a column. One that is not listed is handled as text."""
    types = _types()
    return types.get(column.type, types["text"])


def declared_type(spelling: str) -> str:
    """The name of the type that a contract declares. Raises KeyError for one that the platform cannot carry."""
    return _NAMES[spelling]


def series(values: "pa.ChunkedArray", column: Column) -> "pd.Series":
    """The values of a column as pandas holds them, decimals as the nearest floats."""
    import pyarrow as pa
    from pandas.api.types import pandas_dtype

    kind = type_of(column)
    if pa.types.is_decimal(values.type) and pa.types.is_floating(kind.frame):
        values = values.cast(pa.string())  # Arrow's own cast of a decimal is not the nearest float
    name = kind.with_gaps if column.nullable and kind.with_gaps else kind.in_pandas
    dtype = pandas_dtype(name) if name else None
    found: pd.Series = values.cast(kind.frame).to_pandas(types_mapper=lambda _: dtype)
    return found
