"""The ledger of the lake, in PostgreSQL: which folders of Parquet files are a table, and which are not, or no longer.

A table or a dump that PostgreSQL itself holds is not in the lake, whatever this ledger says. So a load or a build in
PostgreSQL takes it out of the lake without having to know about the lake.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from lgs_assets.lake.place import Place
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import SCHEMA, Cursor

# Readers who have the names of files that are then replaced have this long to read them.
GRACE = timedelta(hours=1)

# A dump is in the lake if the ledger of dumps has it and PostgreSQL has no line of it; any other table, if PostgreSQL
# has no table of that name. Subqueries with a limit, so that each looks up one line by the key.
_IS_IN_LAKE = f"""
case
    when dump is null then to_regclass('{SCHEMA}.' || quote_ident(table_name)) is null
    else (select true from {SCHEMA}.dumps where dumps.dump = lake_parts.dump limit 1)
        and (select true from {SCHEMA}.raw_invoices where raw_invoices.dump = lake_parts.dump limit 1) is null
end
"""


@dataclass(frozen=True)
class Part:
    """A folder of files that is a table or a part of it; of raw_invoices, one dump."""

    location: str
    table: str
    dump: str | None
    files: list[str]
    rows: int
    bytes: int


def begin(warehouse: Warehouse, table: str, dump: str | None = None) -> str:
    """The name of a new folder for files. It is in the ledger before there is anything to sweep up."""
    folders = [table, *([sha256(dump.encode()).hexdigest()[:16]] if dump is not None else []), secrets.token_hex(8)]
    location = "/".join(folders)
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                "insert into lake_parts (location, table_name, dump, begun_at) values (:location, :table, :dump, now())"
            ),
            {"location": location, "table": table, "dump": dump},
        )
    return location


def publish(cursor: Cursor, part: Part) -> None:
    """Makes a folder the table, or a dump's part of it, when the transaction ends."""
    cursor.execute(
        "update lake_parts set retired_at = clock_timestamp() where table_name = %s and dump is not distinct from %s "
        "and published_at is not null and retired_at is null",
        [part.table, part.dump],
    )
    replace(cursor, [], part)


def replace(cursor: Cursor, old: list[Part], new: Part) -> None:
    """Makes a folder part of the table, in place of others, when the transaction ends."""
    cursor.execute(
        "update lake_parts set retired_at = clock_timestamp() where location = any (%s)",
        [[part.location for part in old]],
    )
    cursor.execute(
        "update lake_parts set published_at = now(), files = %s, row_count = %s, bytes = %s where location = %s",
        [Jsonb(new.files), new.rows, new.bytes, new.location],
    )


def current(warehouse: Warehouse, tables: Collection[str]) -> list[Part]:
    """The current parts of the tables, ordered by dump; without dumps, oldest first."""
    rows = warehouse.rows(
        f"""
        select location, table_name as table, dump, files, row_count as rows, bytes
        from lake_parts
        where table_name = any (:tables) and published_at is not null and retired_at is null and {_IS_IN_LAKE}
        order by table_name, dump collate "C", begun_at, location
        """,
        tables=list(tables),
    )
    return [Part(**row) for row in rows]


def sweep(cursor: Cursor, place: Place, table: str) -> None:
    """Deletes the files of failed writes of the table, and those that were replaced long ago.

    The caller holds the lock for writing the table: no other write of it is under way.
    """
    cursor.execute(
        "update lake_parts set retired_at = clock_timestamp() "
        "where table_name = %s and published_at is not null and retired_at is null "
        f"and ({_IS_IN_LAKE}) is not true".encode(),
        [table],
    )
    cursor.execute(
        "select location from lake_parts where table_name = %s and (published_at is null or retired_at < now() - %s)",
        [table, GRACE],
    )
    for (location,) in cursor.fetchall():
        place.delete(location)
        cursor.execute("delete from lake_parts where location = %s", [location])
