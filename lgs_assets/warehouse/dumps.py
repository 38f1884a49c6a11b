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
from lgs_assets.warehouse.contract import columns, constraint
from lgs_assets.warehouse.database import SCHEMA, STAGING, Cursor, Warehouse, driver_cursor
from lgs_assets.warehouse.publish import lock_for_writing, lock_out_readers

PARENT = "raw_invoices"
# PostgreSQL says where in COPY's input a value was refused, for a value or for a whole line.
_COPY_CONTEXT = re.compile(r'^COPY \S+, line (\d+)(?:, column (\S+?))?(?:: (?:"(.*)"|(null input)))?$', re.M | re.S)
# 1 GB in one value, 1,600 columns in one table.
_BEYOND_LIMITS = (psycopg.errors.ProgramLimitExceeded, psycopg.errors.TooManyColumns)


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
    reader: str


def load_dump(
    warehouse: Warehouse, path: Path, *, name: str, reader: str = "", retired: str | None = None
) -> LoadedDump:
    """Makes the lines of the dump at `path` the partition `name` of raw_invoices, and removes the dump `retired`.

    `reader` is recorded as the version of the code that read it.

    One transaction: the lines of an earlier version of the dump are replaced by all of the new ones, or kept. Loading
    the same file again keeps its time of arrival, and so changes nothing. Loads wait for each other.
    Raises DumpError if the file is no dump, or if a line of it breaks the contract.
    """
    content, size = sha256_of(path), path.stat().st_size
    partition = _partition(name)
    staged, live = sql.Identifier(STAGING, partition), sql.Identifier(SCHEMA, partition)
    with warehouse.transaction() as connection, open_dump(path) as dump:
        cursor = driver_cursor(connection)
        # Each load begins by reading the definition of the parent and ends by locking it: two at once would deadlock.
        lock_for_writing(cursor, PARENT)
        _create_staged(cursor, staged, name)
        for block in dump.blocks:
            _copy(warehouse, cursor, staged, dump, block)
        cursor.execute(sql.SQL("select count(*), min(invoice_date), max(invoice_date) from {}").format(staged))
        ((lines, first, last),) = cursor.fetchall()
        if not lines:
            raise DumpError(f"{path}: the dump holds no lines.")
        _finish_staged(cursor, staged, partition)

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
            insert into dumps values (%s, %s, %s, %s, %s, %s, clock_timestamp(), %s)
            on conflict (dump) do update
            set sha256 = excluded.sha256, bytes = excluded.bytes, lines = excluded.lines,
                first_invoice_at = excluded.first_invoice_at, last_invoice_at = excluded.last_invoice_at,
                reader = excluded.reader,
                loaded_at = case when dumps.sha256 = excluded.sha256 then dumps.loaded_at else excluded.loaded_at end
            returning *
            """,
            [name, content, size, lines, first, last, reader],
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


def _finish_staged(cursor: Cursor, staged: sql.Identifier, partition: str) -> None:
    kept = {"dump", "line_number", *CANONICAL_COLUMNS}
    not_kept = [column.name for column in columns(cursor, STAGING, partition) if column.name not in kept]
    cursor.execute(
        sql.SQL(
            "alter table {} alter dump drop default, alter line_number drop default, "
            "add constraint {} primary key (dump, line_number)"
        ).format(staged, sql.Identifier(f"{partition}_pkey"))
    )
    if not_kept:
        drops = sql.SQL(", ").join(sql.SQL("drop {}").format(sql.Identifier(column)) for column in not_kept)
        cursor.execute(sql.SQL("alter table {} {}").format(staged, drops))
        # Until the table is written anew, what a dropped column held is still in its file.
        cursor.execute(sql.SQL("cluster {} using {}").format(staged, sql.Identifier(f"{partition}_pkey")))
    cursor.execute("drop sequence line_numbers")
    cursor.execute(sql.SQL("analyze {}").format(staged))


def _copy(warehouse: Warehouse, cursor: Cursor, staged: sql.Identifier, dump: Dump, block: Block) -> None:
    """Streams a block into COPY. Fields that are not kept go into columns that `_finish_staged` drops."""
    fields = [name or f"not_kept_{place}" for place, name in enumerate(block.columns)]
    names = sql.SQL(", ").join(map(sql.Identifier, fields))
    # Frozen lines are there for transactions with an older snapshot too, which would find an empty table otherwise.
    statement = sql.SQL("copy {} ({}) from stdin (freeze, format {}, encoding {}{})").format(
        staged,
        names,
        sql.SQL(dump.copy_format),
        sql.Literal(block.encoding),
        # Some writers of CSV put every value in quotes, the missing ones too.
        sql.SQL(", force_null ({})").format(names) if dump.copy_format == "csv" else sql.SQL(""),
    )
    cursor.execute(sql.SQL("alter sequence line_numbers restart {}").format(block.first_line))
    lines = 0
    try:
        for field in fields:
            if field not in CANONICAL_COLUMNS:
                cursor.execute(
                    sql.SQL("alter table {} add if not exists {} text").format(staged, sql.Identifier(field))
                )
        with cursor.copy(statement) as copy:
            for chunk in block.chunks:
                lines += chunk.count(b"\n")
                copy.write(chunk)
    except (psycopg.DataError, psycopg.IntegrityError, *_BEYOND_LIMITS) as error:
        raise DumpError(_explain(warehouse, dump.path, block, error)) from error
    if dump.copy_format == "text" and cursor.rowcount != lines:
        raise DumpError(
            f"{dump.path}, line {block.first_line}: the {lines:,} lines that begin here are read as "
            f"{cursor.rowcount:,}. A backslash before a line break or a full stop is wrong here; pg_dump writes none."
        )


def _explain(warehouse: Warehouse, path: Path, block: Block, error: psycopg.Error) -> str:
    """File, line, column, what was expected, what was found."""
    diagnostics = error.diag
    line, column, found, expected = None, diagnostics.column_name, None, diagnostics.message_primary
    if match := _COPY_CONTEXT.search(diagnostics.context or ""):
        line = block.first_line + int(match[1]) - 1
        column = column or match[2]
        found = match[3]
    if diagnostics.constraint_name:
        with warehouse.transaction() as connection:
            rule = constraint(driver_cursor(connection), SCHEMA, PARENT, diagnostics.constraint_name)
        column, expected = ", ".join(rule.columns), f"expected {rule.definition.removeprefix('CHECK ')}"
    elif diagnostics.column_name:
        expected = "a value is required"
    where = f"{path}" + (f", line {line}" if line else "") + (f", column {column}" if column else "")
    return f"{where}: {expected}." + (f" Found: {found}" if found and found not in str(expected) else "")
