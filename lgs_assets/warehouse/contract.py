"""The contracts: the tables that `sql/tables` declares, as text, and as PostgreSQL and Arrow understand them."""

from dataclasses import dataclass
from functools import cache

import psycopg.sql
import pyarrow as pa
import sqlglot
from sqlglot import exp

from lgs_assets import project
from lgs_assets.warehouse.database import Cursor

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


@dataclass(frozen=True)
class Column:
    """One column of a table, as the catalog describes it."""

    name: str
    type: str
    nullable: bool
    description: str


@dataclass(frozen=True)
class Constraint:
    """One rule of a table: its name, its kind (`c`heck, `n`ot null, `p`rimary key, `u`nique or e`x`clusion)."""

    name: str
    kind: str
    definition: str
    columns: tuple[str, ...]


def contract(table: str) -> str:
    """The CREATE TABLE of a table, with its rules and comments."""
    return (project.SQL / "tables" / f"{table}.sql").read_text()


@cache
def declaration(table: str) -> exp.Create:
    """The CREATE TABLE of a table as a syntax tree, for those that ask no database."""
    return next(tree for tree in sqlglot.parse(contract(table), read="postgres") if isinstance(tree, exp.Create))


@cache
def declared_types() -> dict[str, dict[str, str]]:
    """The type of each column of each table."""
    tables = [path.stem for path in (project.SQL / "tables").glob("*.sql")]
    return {
        table: {column.name: str(column.kind) for column in declaration(table).find_all(exp.ColumnDef)}
        for table in tables
    }


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


def columns(cursor: Cursor, schema: str, table: str) -> list[Column]:
    """The columns of an existing table, in order; none if there is no such table."""
    cursor.execute(
        """
        select attname, format_type(atttypid, atttypmod), not attnotnull,
            coalesce(col_description(attrelid, attnum), '')
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        order by attnum
        """,
        [qualified(schema, table)],
    )
    return [Column(*row) for row in cursor]


def constraint(cursor: Cursor, schema: str, table: str, name: str) -> Constraint:
    """One constraint of an existing table."""
    cursor.execute(
        """
        select conname, contype::text, pg_get_constraintdef(oid),
            array(select attname::text from pg_attribute where attrelid = conrelid and attnum = any (conkey))
        from pg_constraint
        where conrelid = to_regclass(%s) and conname = %s
        """,
        [qualified(schema, table), name],
    )
    ((name, kind, definition, names),) = cursor.fetchall()
    return Constraint(name, kind, definition, tuple(names))


def primary_key(cursor: Cursor, schema: str, table: str) -> list[str]:
    """The columns of the primary key, in its order. Every table has one."""
    cursor.execute(
        """
        select attname::text
        from pg_constraint
        cross join unnest(conkey) with ordinality as keys (attnum, place)
        inner join pg_attribute on attrelid = conrelid and pg_attribute.attnum = keys.attnum
        where conrelid = to_regclass(%s) and contype = 'p'
        order by place
        """,
        [qualified(schema, table)],
    )
    return [name for (name,) in cursor]


def qualified(schema: str, table: str) -> str:
    """The table's full name, each part quoted as an identifier."""
    return psycopg.sql.Identifier(schema, table).as_string()
