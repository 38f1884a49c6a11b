"""The ledger of the lake: which folders of Parquet files are a table, and which are not, or no more.

Every table that is not in the lake has no rows here. What is in the files is the subject of `lake`.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from lgs_assets.warehouse.database import Cursor, Warehouse


@dataclass(frozen=True)
class Part:
    """A folder of files that is a table or a part of it, of raw_invoices one dump."""

    location: str
    table: str
    dump: str | None
    files: list[str]
    rows: int
    bytes: int


def begin(warehouse: Warehouse, table: str, dump: str | None = None) -> str:
    """The name of a new folder for files to come. It is in the ledger before there is anything to be swept."""
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


def retire(cursor: Cursor, table: str, dump: str | None = None) -> None:
    """Makes the table, or a dump's part of it, be without files, when the transaction ends."""
    cursor.execute(
        "update lake_parts set retired_at = clock_timestamp() where table_name = %s and dump is not distinct from %s "
        "and published_at is not null and retired_at is null",
        [table, dump],
    )


def publish(cursor: Cursor, part: Part) -> None:
    """Makes a folder be the table, or a dump's part of it, when the transaction ends."""
    retire(cursor, part.table, part.dump)
    replace(cursor, [], part)


def replace(cursor: Cursor, old: list[Part], new: Part) -> None:
    """Makes a folder be a part of the table, in the place of others, when the transaction ends."""
    cursor.execute(
        "update lake_parts set retired_at = clock_timestamp() where location = any (%s)",
        [[part.location for part in old]],
    )
    cursor.execute(
        "update lake_parts set published_at = now(), files = %s, row_count = %s, bytes = %s where location = %s",
        [Jsonb(new.files), new.rows, new.bytes, new.location],
    )


def current(warehouse: Warehouse, tables: Collection[str]) -> list[Part]:
    """What the tables consist of, ordered by dump; without dumps, the oldest first."""
    rows = warehouse.rows(
        """
        select location, table_name as table, dump, files, row_count as rows, bytes
        from lake_parts
        where table_name = any (:tables) and published_at is not null and retired_at is null
        order by table_name, dump collate "C", begun_at, location
        """,
        tables=list(tables),
    )
    return [Part(**row) for row in rows]
