"""Publish or nothing: replaces a whole table in one transaction, of which readers see all or nothing.

The new table is created from its contract in the staging schema, filled, checked by the contract's constraints, and
then takes the place of the old one. Grants, views and whatever else people put on the old table move to the new one.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.types.json import Jsonb

from lgs_assets.contracts.contract import contract
from lgs_assets.errors import ContractError
from lgs_assets.escaping import printable
from lgs_assets.warehouse import dependents
from lgs_assets.warehouse.attachments import attach, attached_by_people, attachments
from lgs_assets.warehouse.catalog import oid, qualified
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.diagnosis import explain
from lgs_assets.warehouse.locks import lock_for_writing, lock_table, without_readers
from lgs_assets.warehouse.schema import SCHEMA, STAGING, Cursor, driver_cursor, execute_script

_log = logging.getLogger(__name__)

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
    given: str | None = None
    """SHA-256 of all that its rows were computed from, if that was looked at."""


def publish(warehouse: Warehouse, table: str, fill: Fill, provenance: Provenance, *, source: str | None = None) -> int:
    """Replaces `table` with what `fill` writes to the empty table that it is given. Returns the number of rows.

    The dumps behind the lines of `source` are recorded as the table's own. Raises as `staged` does.
    """
    with staged(warehouse, table, fill, source=source) as take_its_place:
        return take_its_place(provenance)


@contextmanager
def staged(
    warehouse: Warehouse, table: str, fill: Fill, *, source: str | None = None, at_once: bool = False
) -> Iterator[Callable[[Provenance], int]]:
    """The new table, complete and judged, in a transaction that ends with the block.

    It takes the place of `table` when the block calls what it is given, which returns its number of rows; else nothing
    is left of it. Raises ContractError if rows break the contract, PermanentError if readers never let go of the old
    table, something that cannot be moved depends on it, or, with `at_once`, another process is writing it; all leave
    the old table as it was.
    """
    lost: list[str] = []
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, table, at_once=at_once)
        before = _recorded_by(cursor, table)
        dumps = lock_against_writers(cursor, source) if source else None
        cursor.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(STAGING)))
        execute_script(cursor, contract(table))
        cursor.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(SCHEMA)))
        new = sql.Identifier(STAGING, table)
        try:
            with connection.begin_nested():
                indexes = _take_off_indexes(cursor, new)
                fill(cursor, new)
                for build in indexes:
                    cursor.execute(build.encode())
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ContractError(explain(cursor, table, error, fill)) from error
        made_with = [one.key for one in attachments(cursor, oid(cursor, STAGING, table))]
        cursor.execute(sql.SQL("analyze {}").format(new))
        cursor.execute(sql.SQL("select count(*) from {}").format(new))
        ((rows,),) = cursor.fetchall()

        def take_its_place(provenance: Provenance) -> int:
            # Before the table itself is locked: who marks it outdated may go on to read it.
            is_outdated = _recorded_by(cursor, table, lock=True) != before
            of_rows = [one for one in attached_by_people(cursor, table) if one.is_of_rows]
            lost.extend(f"{SCHEMA}.{table}: {line}" for line in attach(cursor, new.as_string(), of_rows))
            if of_rows:
                cursor.execute(sql.SQL("analyze {}").format(new))
            if oid(cursor, SCHEMA, table) is None:
                cursor.execute(sql.SQL("alter table {} set schema {}").format(new, sql.Identifier(SCHEMA)))
            else:
                lost.extend(without_readers(cursor, table, lambda: _swap(cursor, table)))
            record(cursor, table, provenance, rows, dumps)
            cursor.execute(
                "update publications set made_with = %s where table_name = %s", [Jsonb(sorted(made_with)), table]
            )
            if is_outdated:  # by somebody who changed what it is built from, while it was being built
                mark_outdated(connection, table)
            return int(rows)

        yield take_its_place
        cursor.execute(sql.SQL("drop table if exists {}").format(new))  # unless it has taken its place
    for line in lost:
        _log.warning(printable(line))


def keep(warehouse: Warehouse, table: str, provenance: Provenance) -> bool:
    """Leaves the rows of a table as they are if they were computed from just what is given now, by the same rules.

    It counts as built now, from the new versions of its inputs. Returns False if it has to be computed.
    """
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, table)
        cursor.execute(
            """
            update publications
            set version = %(version)s, published_at = clock_timestamp()
            where table_name = %(table)s and rules = %(rules)s and given = %(given)s
            and to_regclass(%(name)s) is not null
            """,
            vars(provenance) | {"table": table, "name": qualified(SCHEMA, table)},
        )
        return cursor.rowcount == 1


def _recorded_by(cursor: Cursor, table: str, *, lock: bool = False) -> str | None:
    """The transaction that wrote the record of a table last. With `lock` there is no other until this one ends."""
    for_update = sql.SQL("for update" if lock else "")
    query = sql.SQL("select cast(xmin as text) from publications where table_name = %s {}").format(for_update)
    cursor.execute(query, [table])
    found = cursor.fetchone()
    return found[0] if found else None


def record(
    cursor: Cursor, table: str, provenance: Provenance, rows: int, dumps: dict[str, dict[str, Any]] | None
) -> None:
    """Records in `publications` what a table has been built from; `dumps` as `dumps_of` returns them."""
    cursor.execute(
        """
        insert into publications (table_name, version, rules, given, dumps, settings, row_count, published_at)
        values (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())
        on conflict (table_name) do update
        set (version, rules, given, dumps, settings, row_count, published_at) = (
            excluded.version, excluded.rules, excluded.given, excluded.dumps, excluded.settings, excluded.row_count,
            excluded.published_at
        )
        """,
        [
            *(table, provenance.version, provenance.rules, provenance.given),
            *(Jsonb(dumps) if dumps is not None else None, Jsonb(provenance.settings), rows),
        ],
    )


def lock_against_writers(cursor: Cursor, table: str) -> dict[str, dict[str, Any]] | None:
    """Locks a table against writers until the transaction ends. Returns the dumps that its lines come from."""
    lock_table(cursor, table, "row share")
    return dumps_of(cursor, table, made=oid(cursor, SCHEMA, table))


def dumps_of(cursor: Cursor, table: str, *, made: int | str | None) -> dict[str, dict[str, Any]] | None:
    """The dumps that the lines of a table come from. None if they are not known.

    For each dump, what tells it from any other, and the number of its lines; with `made`, also what identifies the
    table that they are read from, which differs once the table has been rebuilt.
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


def _take_off_indexes(cursor: Cursor, new: sql.Identifier) -> list[str]:
    """Drops the indexes of the new table. Returns what builds them once it is filled: quicker than row by row."""
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
        [new.as_string()],
    )
    indexes = cursor.fetchall()
    for _, drop in indexes:
        cursor.execute(drop.encode())
    return [build for build, _ in indexes]


def _swap(cursor: Cursor, table: str) -> list[str]:
    """Puts the new table in the place of the old one. Returns what is lost of the old one, one line each."""
    live, new = sql.Identifier(SCHEMA, table), sql.Identifier(STAGING, table)
    cursor.execute(sql.SQL("lock table {}").format(live))
    attached = [one for one in attached_by_people(cursor, table) if not one.is_of_rows]
    kept = dependents.take_down(cursor, table)
    dependents.drop(cursor, "table", live.as_string())
    cursor.execute(sql.SQL("alter table {} set schema {}").format(new, sql.Identifier(SCHEMA)))
    lost = [f"{SCHEMA}.{table}: {line}" for line in attach(cursor, live.as_string(), attached)]
    return lost + dependents.put_back(cursor, kept)


def mark_outdated(connection: sa.Connection, table: str) -> None:
    """Makes a table count as outdated until it is rebuilt, so that nothing is built on its present state."""
    connection.execute(
        sa.text("update publications set version = repeat('0', 64), rules = repeat('0', 64) where table_name = :table"),
        {"table": table},
    )
