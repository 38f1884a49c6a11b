"""Locks on tables and names: every wait has a limit, and names the sessions in the way.

Even sessions that may only read can hold a lock: by a transaction left open, or by an advisory lock.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg import sql

from lgs_assets.errors import PermanentError
from lgs_assets.escaping import printable
from lgs_assets.warehouse.catalog import qualified
from lgs_assets.warehouse.schema import SCHEMA, Cursor, act_as

PATIENCE_SECONDS = 600
"""The longest wait for a lock."""
NOTICE_SECONDS = 10
"""After this wait the log says which sessions are in the way."""
# While a session waits to take a table from its readers, every new reader queues behind it. So each such wait is brief,
# lets them pass, and is repeated.
SWAP_MILLISECONDS = 200
SWAP_PAUSE_SECONDS = 0.5

_SHOWN_SESSIONS = 3
_SHOWN_QUERY = 100

# The sessions that hold a lock: `%(relations)s` are the tables and views concerned, `%(key)s` an advisory lock's key.
_HOLDERS = """
select distinct
    pid, usename::text, application_name, state,
    to_char(coalesce(xact_start, state_change, backend_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), query
from pg_locks
left join pg_stat_activity using (pid)
where granted and pid is distinct from pg_backend_pid() and leader_pid is null
    and database = (select oid from pg_database where datname = current_database())
    and (
        locktype = 'relation' and relation::bigint = any (%(relations)s::bigint[])
        or locktype = 'advisory' and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = %(key)s::bigint
    )
order by 5 nulls last, pid
"""

# A table, its partitions, and the views that read it.
_CONCERNED = """
with recursive concerned as (
    select to_regclass(%s)::oid as oid
    union
    select further.oid
    from concerned
    cross join lateral (
        select inhrelid from pg_inherits where inhparent = concerned.oid
        union all
        select ev_class
        from pg_depend
        inner join pg_rewrite on pg_rewrite.oid = objid
        where refobjid = concerned.oid and refclassid = 'pg_class'::regclass and classid = 'pg_rewrite'::regclass
    ) as further (oid)
)
select array_agg(oid::bigint) from concerned
"""

_log = logging.getLogger(__name__)
T = TypeVar("T")


def lock_for_writing(cursor: Cursor, name: str, *, at_once: bool = False) -> None:
    """Waits until no other transaction writes the table of this name; the lock ends with the transaction.

    Raises PermanentError after PATIENCE_SECONDS, like the others here; with `at_once` instead of any wait.
    """
    if at_once:
        if not try_lock(cursor, f"{SCHEMA}.{name}"):
            raise PermanentError(f"{SCHEMA}.{name} is being written.")
        return
    cursor.execute("select hashtextextended(%s, 0)", [f"{SCHEMA}.{name}"])
    ((key,),) = cursor.fetchall()
    lock_by_key(cursor, key, f"Writing {SCHEMA}.{name}")


def try_lock(cursor: Cursor, name: str) -> bool:
    """Takes the advisory lock of a name until the transaction ends, and never waits. Returns whether it was free."""
    cursor.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    return cursor.fetchone() == (True,)


def lock_by_key(cursor: Cursor, key: int, work: str) -> None:
    """Takes an advisory lock until the transaction ends; `work` says what it is for."""
    _insist(
        cursor,
        lambda: cursor.execute("select pg_advisory_xact_lock(%s)", [key]),
        what=f"{work} had to wait for the advisory lock {key}",
        holders=lambda: _holders(cursor, key=key),
    )


def lock_table(cursor: Cursor, table: str, mode: str) -> None:
    """Locks a table in a mode that lets readers pass, until the transaction ends."""
    statement = sql.SQL("lock table {} in {} mode").format(sql.Identifier(SCHEMA, table), sql.SQL(mode))
    _insist(
        cursor,
        lambda: cursor.execute(statement),
        what=f"{SCHEMA}.{table} was locked",
        holders=lambda: _holders(cursor, table=table),
    )


def lock_out_readers(cursor: Cursor, table: str) -> None:
    """Takes a table from its readers until the transaction ends. See `without_readers`."""
    statement = sql.SQL("lock table {}").format(sql.Identifier(SCHEMA, table))
    without_readers(cursor, table, lambda: cursor.execute(statement))


def without_readers(cursor: Cursor, table: str, work: Callable[[], T]) -> T:
    """Does work that takes a table and its views from their readers, without making new readers queue behind old ones.

    The work is tried until none of its locks is in use, and undone each time; the transaction before it is kept.
    """
    return _insist(
        cursor,
        work,
        what=f"{SCHEMA}.{table} was in use",
        holders=lambda: _holders(cursor, table=table),
        milliseconds=SWAP_MILLISECONDS,
        pause=SWAP_PAUSE_SECONDS,
    )


def _insist(
    cursor: Cursor,
    work: Callable[[], T],
    *,
    what: str,
    holders: Callable[[], str],
    milliseconds: float | None = None,
    pause: float = 0,
) -> T:
    began = time.monotonic()
    is_noticed = False
    milliseconds = min(milliseconds or NOTICE_SECONDS * 1000, max(PATIENCE_SECONDS * 1000, 1))
    cursor.execute("select")  # begins the transaction: otherwise the savepoint would be one, and end with its locks
    while True:
        try:
            with cursor.connection.transaction():
                cursor.execute("select set_config('lock_timeout', %s, true)", [f"{milliseconds:.0f}"])
                done = work()
                cursor.execute("set local lock_timeout to default")
            return done
        except psycopg.errors.LockNotAvailable as error:
            waited = time.monotonic() - began
            if waited >= PATIENCE_SECONDS:
                raise PermanentError(
                    f"{what} for {PATIENCE_SECONDS} s, and everything was left as it was. {holders()}"
                ) from error
        if waited >= NOTICE_SECONDS and not is_noticed:
            is_noticed = True
            _log.warning("%s for %.0f s so far. %s", what, waited, holders())
        time.sleep(pause)


def _holders(cursor: Cursor, *, table: str | None = None, key: int | None = None) -> str:
    """The sessions in the way, in a sentence or two."""
    relations: list[int] = []
    if table is not None:
        cursor.execute(_CONCERNED, [qualified(SCHEMA, table)])
        ((relations,),) = cursor.fetchall()
    cursor.execute("select current_setting('role')")
    ((role,),) = cursor.fetchall()
    act_as(cursor, "none")  # the login may see more of other sessions than lgs_owner
    cursor.execute(_HOLDERS, {"relations": relations, "key": key})
    sessions = cursor.fetchall()
    act_as(cursor, role)
    if not sessions:
        return "Who holds it: select * from pg_locks left join pg_stat_activity using (pid)."
    named = "; ".join(_session(*session) for session in sessions[:_SHOWN_SESSIONS])
    more = f"; and {len(sessions) - _SHOWN_SESSIONS} more" if len(sessions) > _SHOWN_SESSIONS else ""
    return f"In the way: {named}{more}. To end a session: select pg_terminate_backend(pid)."


def _session(
    pid: int | None, user: str | None, application: str | None, state: str | None, since: str | None, query: str | None
) -> str:
    if pid is None:
        return "a prepared transaction (see pg_prepared_xacts)"
    known = [f"pid {pid}", f"user {user}", f"application {application}" if application else ""]
    if since:
        known += [f"{state} since {since} UTC", f"query: {_short(query or '')}"]
    return ", ".join(filter(None, known))


def _short(query: str) -> str:
    line = " ".join(query.split())
    return printable(line if len(line) <= _SHOWN_QUERY else f"{line[:_SHOWN_QUERY]}…")
