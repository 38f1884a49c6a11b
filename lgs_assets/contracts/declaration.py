"""The contracts as they are declared: read without a database, as syntax trees and as Arrow's types.

Apart from `contract`, because who loads a dump or runs a model needs none of it, and Arrow takes much memory.
"""

from functools import cache

import pyarrow as pa
import sqlglot
from sqlglot import exp

from lgs_assets import places
from lgs_assets.warehouse.catalog import Column, contract

# Money has six places; no sum of it comes near 32 digits before the point.
_ARROW_TYPES = {
    exp.DType.BOOLEAN: pa.bool_(),
    exp.DType.SMALLINT: pa.int16(),
    exp.DType.INT: pa.int32(),
    exp.DType.BIGINT: pa.int64(),
    exp.DType.DECIMAL: pa.decimal128(38, 6),
    exp.DType.DATE: pa.date32(),
    exp.DType.TIMESTAMP: pa.timestamp("us"),
    exp.DType.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
    exp.DType.TEXT: pa.string(),
    exp.DType.JSONB: pa.string(),
    exp.DType.VARBINARY: pa.binary(),
}


# As PostgreSQL's catalog spells them, where that is another way.
_CATALOG_TYPES = {
    "decimal": "numeric",
    "int": "integer",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}


@cache
def declaration(table: str) -> exp.Create:
    """The CREATE TABLE of a table as a syntax tree, for those that ask no database."""
    return next(tree for tree in sqlglot.parse(contract(table), read="postgres") if isinstance(tree, exp.Create))


@cache
def declared_types() -> dict[str, dict[str, str]]:
    """The type of each column of each table."""
    tables = [path.stem for path in (places.SQL / "tables").glob("*.sql")]
    return {
        table: {column.name: str(column.kind) for column in declaration(table).find_all(exp.ColumnDef)}
        for table in tables
    }


@cache
def comments(table: str) -> dict[str, str]:
    """What the comments say of a table, which goes by an empty name here, and of each of its columns."""
    return {
        statement.this.name if isinstance(statement.this, exp.Column) else "": statement.expression.name
        for statement in sqlglot.parse(contract(table), read="postgres")
        if isinstance(statement, exp.Comment)
    }


def declared_columns(table: str) -> list[Column]:
    """The columns of a table as the catalog would describe them."""
    described = comments(table)
    columns = []
    for column in declaration(table).find_all(exp.ColumnDef):
        kind = column.args["kind"].sql("postgres").lower()
        nullable = arrow_schema(table).field(column.name).nullable
        columns.append(Column(column.name, _CATALOG_TYPES.get(kind, kind), nullable, described[column.name]))
    return columns


@cache
def arrow_schema(table: str) -> pa.Schema:
    """The columns of a table as Arrow's types; a field is nullable where the column may be NULL."""
    return pa.schema(
        pa.field(
            column.name,
            _ARROW_TYPES[column.args["kind"].this],
            nullable=not column.find(exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint),
        )
        for column in declaration(table).find_all(exp.ColumnDef)
    )
