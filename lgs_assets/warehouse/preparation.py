"""Makes the warehouse what this version of the platform expects: its schemas, roles and kept tables.

A new warehouse is created from the contracts as they are. An existing one takes the steps of `sql/migrations` that it
has not taken yet, in order, each in one transaction; the table `migrations` records them. Nothing is dropped to be
reloaded. Derived tables take no steps: one whose contract has changed is outdated, and rebuilt.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256

import psycopg

from lgs_assets import places
from lgs_assets.contracts.contract import contract, kept_tables
from lgs_assets.errors import PermanentError
from lgs_assets.warehouse.locks import lock_by_key
from lgs_assets.warehouse.schema import SCHEMA, STAGING, Cursor, become_owner, execute_script

MINIMUM_VERSION = 16
# Held while the warehouse is prepared, so that two first uses do not collide. Any number nobody else locks will do.
PREPARATION_LOCK = 5_302_011
# The comment on the schema in the last version without migrations. Its tables are those before the first step.
BEFORE_MIGRATIONS = "lgs bd0ca470e7eea23162230d95ad190984b9c67304e3e8adb16cc00df7077bad27"
LEDGER = "migrations"
# The SQLSTATE of the notices in sql/roles.sql about limits that the login may not set.
UNLIMITED = "LGS01"

_log = logging.getLogger(__name__)

Transaction = Callable[[], AbstractContextManager[Cursor]]


def prepare(transaction: Transaction) -> None:
    """Brings the warehouse up to date; each call of `transaction` returns a cursor in a new transaction.

    Raises PermanentError if the server or the database will not do, if the warehouse was made by a newer version of the
    platform, or by one too old to be upgraded, or if a step fails, which leaves everything as it was before that step.
    """
    with transaction() as cursor:
        _expect_usable_server(cursor)
        taken = _steps_taken(cursor)
    steps = sorted(file.stem for file in (places.SQL / "migrations").glob("*.sql"))
    while taken is None or taken != steps:
        with transaction() as cursor:
            lock_by_key(cursor, PREPARATION_LOCK, "Preparing the warehouse")
            if (taken := _steps_taken(cursor)) is None:
                _make(cursor, steps)
            elif unknown := [step for step in taken if step not in steps]:
                raise PermanentError(
                    f"The warehouse was made by a newer version of the platform, which has {', '.join(unknown)}: "
                    "upgrade this one."
                )
            elif due := [step for step in steps if step not in taken]:
                _take(cursor, due[0])
    with transaction() as cursor:
        if _roles_are_due(cursor):
            lock_by_key(cursor, PREPARATION_LOCK, "Preparing the warehouse")
            if _roles_are_due(cursor):
                make_roles(cursor)
    with transaction() as cursor:
        if _grants_are_due(cursor):
            lock_by_key(cursor, PREPARATION_LOCK, "Preparing the warehouse")
            if _grants_are_due(cursor):
                _grant(cursor)


def _expect_usable_server(cursor: Cursor) -> None:
    version = cursor.connection.info.server_version // 10_000
    if version < MINIMUM_VERSION:
        raise PermanentError(f"PostgreSQL {MINIMUM_VERSION} or later is needed; this server is {version}.")
    cursor.execute("show server_encoding")
    if (encoding := cursor.fetchall()) != [("UTF8",)]:
        raise PermanentError(
            f"The database must be encoded in UTF8; this one is in {encoding[0][0]}: "
            "create database lgs encoding 'UTF8' template template0"
        )


def _steps_taken(cursor: Cursor) -> list[str] | None:
    """The steps that the warehouse has taken, in order; None if there is no warehouse yet."""
    # From the catalog itself: to_regnamespace() remembers that the schema was missing when first asked, and does not
    # notice that somebody else has created it since.
    cursor.execute(
        """
        select obj_description(pg_namespace.oid, 'pg_namespace'), array_remove(array_agg(relname::text), null)
        from pg_namespace
        left join pg_class on relnamespace = pg_namespace.oid and relname = any (%s)
        where nspname = %s
        group by pg_namespace.oid
        """,
        [[LEDGER, "publications"], SCHEMA],
    )
    comment, tables = cursor.fetchone() or (None, [])
    if LEDGER in tables:
        cursor.execute(f'select name from {SCHEMA}.{LEDGER} order by name collate "C"')
        return [name for (name,) in cursor]
    if "publications" not in tables:
        return None
    if comment != BEFORE_MIGRATIONS:
        raise PermanentError(
            f"The tables of the schema {SCHEMA} were made by a version of the platform that is too old to be upgraded. "
            f"Drop them and reload the dumps from the inbox: drop schema {SCHEMA}, {STAGING} cascade"
        )
    return []


def _make(cursor: Cursor, steps: list[str]) -> None:
    """Creates the warehouse from the contracts as they are now, as if every step had been taken."""
    cursor.execute(f"create schema if not exists {SCHEMA}; create schema if not exists {STAGING}")
    cursor.execute("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
    if cursor.fetchone() == (True,):  # elsewhere an administrator runs the file beforehand
        make_roles(cursor)
        become_owner(cursor)
    for table in kept_tables():
        execute_script(cursor, contract(table))
    for step in steps:
        _remember(cursor, step)
    if _grants_are_due(cursor):
        _grant(cursor)


def make_roles(cursor: Cursor) -> None:
    """Creates the roles and sets their limits; the log says which of these this login may not set."""

    def log(notice: psycopg.errors.Diagnostic) -> None:
        if notice.sqlstate == UNLIMITED:
            _log.warning("%s See docs/deployment.md.", notice.message_primary)

    cursor.connection.add_notice_handler(log)
    try:
        execute_script(cursor, (places.SQL / "roles.sql").read_text())
    finally:
        cursor.connection.remove_notice_handler(log)


def _roles_are_due(cursor: Cursor) -> bool:
    """Whether readers have no limits yet, or the dashboard no grants, though this login may give them."""
    cursor.execute(
        """
        select exists (
            select
            from pg_database
            inner join pg_roles as owner on owner.rolname = 'lgs_owner'
            inner join pg_roles as login on login.rolname = current_user
            where datname = current_database() and pg_has_role(datdba, 'usage')
                and (login.rolsuper or login.rolcreaterole and pg_has_role(owner.oid, 'usage with admin option'))
                and not (
                    exists (
                        select from pg_db_role_setting, unnest(setconfig) as setting
                        where setdatabase = pg_database.oid and setrole = 0 and setting like 'statement_timeout=%'
                    )
                    and exists (
                        select from pg_roles
                        where rolname = 'lgs_dashboard' and has_table_privilege(oid, 'lgs.publications', 'select')
                    )
                )
        )
        """
    )
    return cursor.fetchone() == (True,)


def _grants_are_due(cursor: Cursor) -> bool:
    """Whether the dashboard's role has not been granted what grants.sql says now, though this login may grant it.

    What was granted last is in the comment on the schema, which a dump restored without its privileges has, too.
    """
    cursor.execute(
        """
        select exists (
            select
            from pg_roles
            inner join pg_class as granted on granted.oid = 'lgs.assignments'::regclass
            where rolname = 'lgs_dashboard' and pg_has_role(relowner, 'usage') and (
                obj_description(relnamespace, 'pg_namespace') is distinct from %s
                or not has_column_privilege(pg_roles.oid, granted.oid, 'experiment', 'select')
            )
        )
        """,
        [_granted_by(_grants())],
    )
    return cursor.fetchone() == (True,)


def _grant(cursor: Cursor) -> None:
    execute_script(cursor, _grants())
    cursor.execute(f"comment on schema {SCHEMA} is '{_granted_by(_grants())}'".encode())


def _grants() -> str:
    return (places.SQL / "grants.sql").read_text()


def _granted_by(script: str) -> str:
    return f"granted by {sha256(script.encode()).hexdigest()}"


def _take(cursor: Cursor, step: str) -> None:
    """Takes one step, in the transaction of the cursor."""
    become_owner(cursor)
    cursor.execute("select to_regclass(%s)", [f"{SCHEMA}.{LEDGER}"])
    if cursor.fetchone() == (None,):
        execute_script(cursor, contract(LEDGER))
    file = places.SQL / "migrations" / f"{step}.sql"
    try:
        execute_script(cursor, file.read_text())
    except psycopg.Error as error:
        raise PermanentError(f"The warehouse cannot be upgraded, and stays as it is: {file.name}: {error}") from error
    _remember(cursor, step)


def _remember(cursor: Cursor, step: str) -> None:
    cursor.execute(f"insert into {SCHEMA}.{LEDGER} values (%s, now())", [step])
