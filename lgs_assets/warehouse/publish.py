"""Publish or nothing: replaces a table as a whole, in one transaction that readers see all of or nothing of.

The new table is made from its contract in the staging schema, filled, judged by the contract's constraints, and then
takes the place of the old one. Grants and views that people put on the old table move to the new one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.types.json import Jsonb

from lgs_assets.contracts.contract import contract
from lgs_assets.errors import ContractError, ServerError
from lgs_assets.warehouse import dependents
from lgs_assets.warehouse.catalog import qualified
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.diagnosis import explain
from lgs_assets.warehouse.schema import SCHEMA, STAGING, Cursor, driver_cursor, execute_script

# A waiting swap makes every new reader wait behind it, so it waits briefly, lets them pass, and tries again.
SWAP_WAIT_MILLISECONDS = 200
SWAP_PAUSE_SECONDS = 0.5
SWAP_PATIENCE_SECONDS = 600

Fill = Callable[[Cursor, sql.Identifier], None]


@dataclass(frozen=True)
class Provenance:
    """What a table is built from, recorded in the table `publications` in the transaction that builds it."""

    version: str
    """SHA-256 of code, contract, settings and inputs."""
    rules: str
    """SHA-256 of code, contract and settings."""
    settings: dict[str, Any]
    """The settings of the run."""


def publish(warehouse: Warehouse, table: str, fill: Fill, provenance: Provenance, *, source: str | None = None) -> int:
    """Replaces `table` by what `fill` puts into the empty table that it is given. Returns the number of rows.

    The dumps that the lines of `source` are from are recorded as its own.
    Raises ContractError if rows break the contract, ServerError if readers never let go of the old table; both leave
    the old table as it was.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, table)
        dumps = lock_against_writers(cursor, source) if source else None
        cursor.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(STAGING)))
        execute_script(cursor, contract(table))
        cursor.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(SCHEMA)))
        staged = sql.Identifier(STAGING, table)
        try:
            with connection.begin_nested():
                indexes = _take_off_indexes(cursor, staged)
                fill(cursor, staged)
                for build in indexes:
                    cursor.execute(build.encode())
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ContractError(explain(cursor, table, error, fill)) from error
        cursor.execute(sql.SQL("analyze {}").format(staged))
        cursor.execute(sql.SQL("select count(*) from {}").format(staged))
        ((rows,),) = cursor.fetchall()
        _swap(connection, cursor, table)
        record(cursor, table, provenance, rows, dumps)
    return int(rows)


def record(
    cursor: Cursor, table: str, provenance: Provenance, rows: int, dumps: dict[str, dict[str, Any]] | None
) -> None:
    """Writes into `publications` what a table has been built from; `dumps` as `dumps_of` tells them."""
    cursor.execute(
        """
        insert into publications (table_name, version, rules, dumps, settings, row_count, published_at)
        values (%s, %s, %s, %s, %s, %s, now())
        on conflict (table_name) do update
        set (version, rules, dumps, settings, row_count, published_at) = (
            excluded.version, excluded.rules, excluded.dumps, excluded.settings, excluded.row_count,
            excluded.published_at
        )
        """,
        [
            *(table, provenance.version, provenance.rules, Jsonb(dumps) if dumps is not None else None),
            *(Jsonb(provenance.settings), rows),
        ],
    )


def lock_against_writers(cursor: Cursor, table: str) -> dict[str, dict[str, Any]] | None:
    """Locks a table against writers until the transaction ends. Returns the dumps that its lines are from."""
    cursor.execute(sql.SQL("lock table {} in row share mode").format(sql.Identifier(SCHEMA, table)))
    cursor.execute("select to_regclass(%s)::oid::bigint", [qualified(SCHEMA, table)])
    ((oid,),) = cursor.fetchall()
    return dumps_of(cursor, table, made=oid)


def dumps_of(cursor: Cursor, table: str, *, made: int | str) -> dict[str, dict[str, Any]] | None:
    """The dumps that the lines of a table are from. None if it is not known.

    Of each dump, what tells it from any other, and the number of its lines; with `made`, what tells the table that they
    are read from, which is another one once it has been rebuilt.
    """
    cursor.execute(
        """
        select case
            when exists (select from publications where table_name = %(table)s)
            then (select dumps from publications where table_name = %(table)s)
            else (
                select coalesce(jsonb_object_agg(dump, jsonb_build_object(
                    'sha256', sha256, 'reader', reader, 'dates', facts -> 'dates', 'loaded_at', loaded_at,
                    'written_at', written_at, 'lines', lines
                )), '{}')
                from dumps
            )
        end
        """,
        {"table": table},
    )
    ((dumps,),) = cursor.fetchall()
    return None if dumps is None else {dump: facts | {"table": made} for dump, facts in dumps.items()}


def lock_for_writing(cursor: Cursor, name: str) -> None:
    """Waits until no other transaction writes what goes by this name; the lock ends with the transaction."""
    cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{SCHEMA}.{name}"])


def lock_out_readers(connection: sa.Connection, cursor: Cursor, table: str) -> None:
    """Takes the table from its readers, without making them queue behind a long query of one of them.

    Raises ServerError when that does not succeed within SWAP_PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + SWAP_PATIENCE_SECONDS
    while True:
        try:
            with connection.begin_nested():
                cursor.execute(f"set local lock_timeout = {SWAP_WAIT_MILLISECONDS}")
                cursor.execute(sql.SQL("lock table {}").format(sql.Identifier(SCHEMA, table)))
                cursor.execute("set local lock_timeout = 0")
            return
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{SCHEMA}.{table} was in use for {SWAP_PATIENCE_SECONDS} s and was left as it was. "
                    "Find who holds it: select pid, query from pg_stat_activity where state <> 'idle'"
                ) from error
            time.sleep(SWAP_PAUSE_SECONDS)


def _take_off_indexes(cursor: Cursor, staged: sql.Identifier) -> list[str]:
    """Drops the indexes of the new table. Returns what builds them when it is full: quicker than line by line."""
    cursor.execute(
        """
        select
            coalesce(
                altered || ' add constraint ' || name || ' ' || pg_get_constraintdef(oid), pg_get_indexdef(indexrelid)
            ),
            coalesce(altered || ' drop constraint ' || name, format('drop index %%s', indexrelid::regclass))
        from pg_index
        left join pg_constraint on conindid = indexrelid and conrelid = indrelid
        cross join format('alter table %%s', indrelid::regclass) as altered
        cross join quote_ident(conname) as name
        where indrelid = to_regclass(%s)
        order by indexrelid
        """,
        [staged.as_string()],
    )
    indexes = cursor.fetchall()
    for _, drop in indexes:
        cursor.execute(drop.encode())
    return [build for build, _ in indexes]


def _swap(connection: sa.Connection, cursor: Cursor, table: str) -> None:
    live, staged = sql.Identifier(SCHEMA, table), sql.Identifier(STAGING, table)
    cursor.execute("select to_regclass(%s)", [live.as_string()])
    if cursor.fetchone() == (None,):
        cursor.execute(sql.SQL("alter table {} set schema {}").format(staged, sql.Identifier(SCHEMA)))
        return
    lock_out_readers(connection, cursor, table)
    kept = dependents.take_down(cursor, table)
    cursor.execute(sql.SQL("drop table {}").format(live))
    cursor.execute(sql.SQL("alter table {} set schema {}").format(staged, sql.Identifier(SCHEMA)))
    dependents.put_back(cursor, kept)
