"""The database: which one it is, how to connect to it, and how it is prepared for its first use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from lgs_assets import addresses, places
from lgs_assets.errors import ServerError

SCHEMA = "lgs"
STAGING = "lgs_staging"
MINIMUM_VERSION = 16
# Everything else is derived from these, and rebuilt from its contract at each write.
PERMANENT_TABLES = ("dumps", "raw_invoices", "rejected_lines", "publications", "lake_parts")
# Held while the schema is prepared, so that two first uses do not collide. Any number serves that nobody else locks.
PREPARATION_LOCK = 5_302_011

# What comes of a server that was killed, or whose disk or memory is full; psycopg's own, or wrapped by SQLAlchemy.
_BROKEN_OFF = (psycopg.OperationalError, psycopg.InternalError, sa.exc.OperationalError, sa.exc.InternalError)

Cursor = psycopg.Cursor[TupleRow]


class Warehouse:
    """The tables of the lineage in one PostgreSQL database, in the schema `lgs`.

    Nothing is connected, and no server started, before the first use. That also makes the schema, once.
    """

    def __init__(self, where: str | Callable[[], str]) -> None:
        """`where` is the URL of the database, or tells it: that of an embedded server, which it starts if need be."""
        self._locate = where if callable(where) else lambda: where
        self._engine: sa.Engine | None = None
        self._is_prepared = False

    @property
    def url(self) -> str:
        """The URL of the database, with its password."""
        return self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def engine(self) -> sa.Engine:
        """Connections that find the tables by their bare names. The time zone is UTC: timestamps have none.

        One that a restart of the server has cut since its last use is replaced.
        """
        if self._engine is None:
            # A plain postgresql:// means psycopg 3 to SQLAlchemy 2.1; say so for the readers of this line.
            url = addresses.parse_url(self._locate(), variable="LGS_DATABASE_URL").set(drivername="postgresql+psycopg")
            options = f"-c search_path={SCHEMA} -c timezone=UTC -c datestyle=ISO,YMD"
            arguments = {"options": options, "application_name": "lgs", "client_encoding": "UTF8"}
            # The server may have been restarted since a connection was last used.
            self._engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True)
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end of the block, rolled back if the block raises.

        It works as `lgs_owner` where the login may: tables then belong to one role, whoever builds them.
        Raises ServerError when the server cannot be reached, or breaks off: killed, out of disk, out of memory.
        """
        try:
            self.prepare()
            with self._connection() as connection, connection.begin():
                _become_owner(driver_cursor(connection))
                yield connection
        except _BROKEN_OFF as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise ServerError(
                f"PostgreSQL at {self._shown_url} broke off: {cause}. Nothing is left half done: "
                "see to the server (is its disk full?), then do the same again."
            ) from error

    def rows(self, query: str, **parameters: Any) -> list[sa.RowMapping]:
        """The rows of one SELECT in SQLAlchemy's notation, `:name` for a parameter."""
        with self.transaction() as connection:
            return list(connection.execute(sa.text(query), parameters).mappings())

    def prepare(self) -> None:
        """Makes the schemas, the permanent tables and the roles. Once made, they stay as they are.

        Raises ServerError if they were made by a version of the platform that declares them otherwise, or if the
        server or the database is none that will do.
        """
        if self._is_prepared:
            return
        scripts = [(places.SQL / "tables" / f"{table}.sql").read_text() for table in PERMANENT_TABLES]
        made_from = sha256("".join(scripts).encode()).hexdigest()
        with self._connection() as connection, connection.begin():
            cursor = driver_cursor(connection)
            version = cursor.connection.info.server_version // 10_000
            if version < MINIMUM_VERSION:
                raise ServerError(f"PostgreSQL {MINIMUM_VERSION} or later is needed; this server is {version}.")
            cursor.execute("show server_encoding")
            if (encoding := cursor.fetchall()) != [("UTF8",)]:
                raise ServerError(
                    f"A database in UTF8 is needed; this one is in {encoding[0][0]}: "
                    "create database lgs encoding 'UTF8' template template0"
                )
            if not _is_prepared(cursor, made_from):
                cursor.execute("select pg_advisory_xact_lock(%s)", [PREPARATION_LOCK])
            if not _is_prepared(cursor, made_from):
                self._make_schema(cursor, scripts, made_from)
        self._is_prepared = True

    def _make_schema(self, cursor: Cursor, scripts: list[str], made_from: str) -> None:
        cursor.execute(f"create schema if not exists {SCHEMA}; create schema if not exists {STAGING}")
        cursor.execute("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
        if cursor.fetchone() == (True,):  # elsewhere an administrator runs this file beforehand
            execute_script(cursor, (places.SQL / "roles.sql").read_text())
            _become_owner(cursor)
        for script in scripts:
            execute_script(cursor, script)
        cursor.execute(f"comment on schema {SCHEMA} is 'lgs {made_from}'")

    def _connection(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sa.exc.OperationalError:
            self.engine.dispose()
            self._engine = None  # the embedded server may have stopped, and starts again on another port
        try:
            return self.engine.connect()
        except sa.exc.OperationalError as error:
            raise ServerError(f"PostgreSQL at {self._shown_url} cannot be used: {error.orig}") from error

    @property
    def _shown_url(self) -> str:
        return addresses.shown(self.engine.url.set(drivername="postgresql"))


def driver_cursor(connection: sa.Connection) -> Cursor:
    """A psycopg cursor in the transaction of a SQLAlchemy connection: for COPY and for DDL."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 (narrows the type for the checker)
    return driver.cursor()


def _is_prepared(cursor: Cursor, made_from: str) -> bool:
    # From the catalog itself: to_regnamespace() remembers that the schema was missing when it was first asked for, and
    # does not learn that somebody else has made it since.
    cursor.execute(
        "select obj_description(t.oid, 'pg_class'), obj_description(s.oid, 'pg_namespace') from pg_namespace s "
        "left join pg_class t on t.relnamespace = s.oid and t.relname = 'publications' where s.nspname = %s",
        [SCHEMA],
    )
    table, schema = cursor.fetchone() or (None, None)
    if table and schema != f"lgs {made_from}":
        raise ServerError(
            f"The permanent tables of the schema {SCHEMA} were made by another version of the platform. "
            "Make them anew, and load the dumps again, which are in the inbox: "
            f"drop schema {SCHEMA}, {STAGING} cascade; then lgs run"
        )
    return table is not None


def _become_owner(cursor: Cursor) -> None:
    cursor.execute(
        "select set_config('role', rolname, true) from pg_roles "
        "where rolname = 'lgs_owner' and pg_has_role(current_user, oid, 'set')"
    )


def execute_script(cursor: Cursor, script: str) -> None:
    """Runs a file of this project that holds several statements. Never anything that came from outside."""
    cursor.execute(script.encode())
