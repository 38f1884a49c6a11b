"""What only PostgreSQL's catalog knows: a table's actual columns, its constraints by name, and its size."""

from dataclasses import dataclass
from typing import NamedTuple

import psycopg.sql

from lgs_assets.contracts.contract import Column
from lgs_assets.warehouse.schema import Cursor


@dataclass(frozen=True)
class Constraint:
    """One rule of a table: its name, its kind (`c`heck, `n`ot null, `p`rimary key, `u`nique or e`x`clusion)."""

    name: str
    kind: str
    definition: str
    columns: tuple[str, ...]


class Extent(NamedTuple):
    """The columns of a table, its rows, and its size in bytes, indexes included."""

    columns: list[Column]
    rows: int
    bytes: int


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


def extent(cursor: Cursor, schema: str, table: str) -> Extent:
    """How large an existing table is."""
    # A partitioned table itself has no size, its partitions do; any other has no partition tree.
    cursor.execute(
        psycopg.sql.SQL(
            "select (select count(*) from {table}), pg_total_relation_size({name}) "
            "+ coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree({name})), 0)"
        ).format(table=psycopg.sql.Identifier(schema, table), name=psycopg.sql.Literal(qualified(schema, table)))
    )
    ((rows, size),) = cursor.fetchall()
    return Extent(columns(cursor, schema, table), int(rows), int(size))


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


def oid(cursor: Cursor, schema: str, table: str) -> int | None:
    """PostgreSQL's own identifier of a table; None if there is no such table."""
    cursor.execute("select to_regclass(%s)::oid::bigint", [qualified(schema, table)])
    ((number,),) = cursor.fetchall()
    return None if number is None else int(number)


def qualified(schema: str, table: str) -> str:
    """The table's full name, each part quoted as an identifier."""
    return psycopg.sql.Identifier(schema, table).as_string()
