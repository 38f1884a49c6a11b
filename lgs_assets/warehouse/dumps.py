"""The partitions of `raw_invoices`: loads a dump as one of them, and keeps the ledger `dumps`."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS, Block, Dump, open_dump, sha256_of
from lgs_assets.warehouse.contract import constraint
from lgs_assets.warehouse.database import SCHEMA, STAGING, Cursor, Warehouse, driver_cursor
from lgs_assets.warehouse.publish import lock_for_writing, lock_out_readers

PARENT = "raw_invoices"
# PostgreSQL says where in COPY's input a value was refused, for a value or for a whole line.
_COPY_CONTEXT = re.compile(r'^COPY \S+, line (\d+)(?:, column (\S+?))?(?:: (?:"(.*)"|(null input)))?$', re.M | re.S)


@dataclass(frozen=True)
class LoadedDump:
    """A row of the ledger."""

    dump: str
    sha256: str
    bytes: int
    lines: int
    first_invoice_at: datetime
    last_invoice_at: datetime
    loaded_at: datetime


def load_dump(warehouse: Warehouse, path: Path, *, name: str, retired: str | None = None) -> LoadedDump:
    """Makes the lines of the dump at `path` the partition `name` of raw_invoices, and removes the dump `retired`.

    One transaction: the lines of an earlier version of the dump are replaced by all of the new ones, or kept. Loading
    the same file again keeps its time of arrival, and so changes nothing.
    Raises DumpError if the file is no dump, or if a line of it breaks the contract.
    """
    content, size = sha256_of(path), path.stat().st_size
    partition = _partition(name)
    staged, live = sql.Identifier(STAGING, partition), sql.Identifier(SCHEMA, partition)
    with warehouse.transaction() as connection, open_dump(path) as dump:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, partition)
        _create_staged(cursor, staged, name)
        for block in dump.blocks:
            _copy(cursor, staged, partition, dump, block)
        cursor.execute(sql.SQL("select count(*), min(invoice_date), max(invoice_date) from {}").format(staged))
        ((lines, first, last),) = cursor.fetchall()
        if not lines:
            raise DumpError(f"{path}: the dump holds no lines.")
        _finish_staged(cursor, staged)

        lock_out_readers(connection, cursor, PARENT)
        cursor.execute(sql.SQL("drop table if exists {}").format(live))
        if retired is not None:
            cursor.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(SCHEMA, _partition(retired))))
            cursor.execute("delete from dumps where dump = %s", [retired])
        cursor.execute(sql.SQL("alter table {} set schema {}").format(staged, sql.Identifier(SCHEMA)))
        cursor.execute(
            sql.SQL("alter table {} attach partition {} for values in ({})").format(
                sql.Identifier(SCHEMA, PARENT), live, sql.Literal(name)
            )
        )
        cursor.execute(sql.SQL("alter table {} drop constraint is_this_dump").format(live))
        cursor.execute(
            """
            insert into dumps values (%s, %s, %s, %s, %s, %s, clock_timestamp())
            on conflict (dump) do update
            set sha256 = excluded.sha256, bytes = excluded.bytes, lines = excluded.lines,
                first_invoice_at = excluded.first_invoice_at, last_invoice_at = excluded.last_invoice_at,
                loaded_at = case when dumps.sha256 = excluded.sha256 then dumps.loaded_at else excluded.loaded_at end
            returning *
            """,
            [name, content, size, lines, first, last],
        )
        ((row),) = cursor.fetchall()
        return LoadedDump(*row)


def loaded_dumps(warehouse: Warehouse) -> list[LoadedDump]:
    """The ledger, oldest dump first: in the order in which newer dumps win."""
    query = "select * from dumps order by last_invoice_at, loaded_at, dump"
    return [LoadedDump(**row) for row in warehouse.rows(query)]


def _partition(dump: str) -> str:
    """The table of a dump: PostgreSQL cuts names at 63 bytes, so a hash stands for the dump's."""
    return f"{PARENT}_{sha256(dump.encode()).hexdigest()[:16]}"


def _create_staged(cursor: Cursor, staged: sql.Identifier, name: str) -> None:
    """Makes the empty partition. Its defaults give each line the dump's name and the line's number."""
    cursor.execute(
        sql.SQL("create table {} (like {} including all excluding indexes)").format(
            staged, sql.Identifier(SCHEMA, PARENT)
        )
    )
    cursor.execute("create temp sequence line_numbers cache 10000")
    cursor.execute(
        sql.SQL(
            "alter table {0} alter dump set default {1}, alter line_number set default nextval('line_numbers'), "
            "add constraint is_this_dump check (dump = {1})"  # spares a scan when the partition is attached
        ).format(staged, sql.Literal(name))
    )


def _finish_staged(cursor: Cursor, staged: sql.Identifier) -> None:
    cursor.execute(
        sql.SQL(
            "alter table {} alter dump drop default, alter line_number drop default, "
            "add primary key (dump, line_number)"
        ).format(staged)
    )
    cursor.execute("drop sequence line_numbers")
    cursor.execute(sql.SQL("analyze {}").format(staged))


def _copy(cursor: Cursor, staged: sql.Identifier, partition: str, dump: Dump, block: Block) -> None:
    """Streams a block into COPY. Fields that are not kept go into columns that are dropped again."""
    fields = [name or f"not_kept_{place}" for place, name in enumerate(block.columns)]
    extra = [sql.Identifier(field) for field in fields if field not in CANONICAL_COLUMNS]
    for field in extra:
        cursor.execute(sql.SQL("alter table {} add {} text").format(staged, field))
    cursor.execute(sql.SQL("alter sequence line_numbers restart {}").format(block.first_line))
    statement = sql.SQL("copy {} ({}) from stdin (format {}, encoding {})").format(
        staged, sql.SQL(", ").join(map(sql.Identifier, fields)), sql.SQL(dump.copy_format), sql.Literal(dump.encoding)
    )
    try:
        with cursor.copy(statement) as copy:
            for chunk in block.chunks:
                copy.write(chunk)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise DumpError(_explain(dump.path, block, error)) from error
    for field in extra:
        cursor.execute(sql.SQL("alter table {} drop {}").format(staged, field))


def _explain(path: Path, block: Block, error: psycopg.Error) -> str:
    """File, line, column, what was found, what was expected."""
    diagnostics = error.diag
    where, found = str(path), ""
    if match := _COPY_CONTEXT.search(diagnostics.context or ""):
        line, column, value, null = match.groups()
        where += f", line {block.first_line + int(line) - 1}"
        where += f", column {column}" if column else ""
        found = f' Found: {"nothing" if null else value}.' if value or null else ""
    expected = diagnostics.message_primary
    if diagnostics.column_name:
        where += "" if ", column" in where else f", column {diagnostics.column_name}"
        expected = "a value is required here"
    return f"{where}: {expected}.{found}"
