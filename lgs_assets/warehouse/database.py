"""The database: which one it is, how to connect to it, and how it is prepared for its first use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import TupleRow

from lgs_assets import project
from lgs_assets.errors import ServerError
from lgs_assets.warehouse.server import EmbeddedServer

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


def embedded_server() -> EmbeddedServer:
    """The project's own server, running or not."""
    return EmbeddedServer(project.state() / "postgres")


def database_url() -> str:
    """The URL of the warehouse: LGS_DATABASE_URL, or the embedded server's, which is started if need be."""
    return os.environ.get("LGS_DATABASE_URL") or embedded_server().url()


@dataclass(frozen=True)
class Warehouse:
    """The tables of the lineage in one PostgreSQL database, in the schema `lgs`."""

    url: str

    @cached_property
    def engine(self) -> sa.Engine:
        """Connections that find the tables by their bare names. The time zone is UTC: timestamps have none.

        One that a restart of the server has cut since its last use is replaced.
        """
        # A plain postgresql:// means psycopg 3 to SQLAlchemy 2.1; say so for the readers of this line.
        url = sa.make_url(self.url).set(drivername="postgresql+psycopg")
        options = f"-c search_path={SCHEMA} -c timezone=UTC -c datestyle=ISO,YMD"
        arguments = {"options": options, "application_name": "lgs", "client_encoding": "UTF8"}
        # The server may have been restarted since a connection was last used.
        return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end of the block, rolled back if the block raises.

        It works as `lgs_owner` where the login may: tables then belong to one role, whoever builds them.
        Raises ServerError when the server cannot be reached, or breaks off: killed, out of disk, out of memory.
        """
        try:
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
        scripts = [(project.SQL / "tables" / f"{table}.sql").read_text() for table in PERMANENT_TABLES]
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
            if _is_prepared(cursor, made_from):
                return
            cursor.execute("select pg_advisory_xact_lock(%s)", [PREPARATION_LOCK])
            if _is_prepared(cursor, made_from):
                return
            cursor.execute(f"create schema if not exists {SCHEMA}; create schema if not exists {STAGING}")
            cursor.execute("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
            if cursor.fetchone() == (True,):  # elsewhere an administrator runs this file beforehand
                execute_script(cursor, (project.SQL / "roles.sql").read_text())
                _become_owner(cursor)
            for script in scripts:
                execute_script(cursor, script)
            cursor.execute(f"comment on schema {SCHEMA} is 'lgs {made_from}'")

    def _connection(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sa.exc.OperationalError as error:
            raise ServerError(f"PostgreSQL at {self._shown_url} cannot be used: {error.orig}") from error

    @property
    def _shown_url(self) -> str:
        return sa.make_url(self.url).render_as_string(hide_password=True)


def driver_cursor(connection: sa.Connection) -> Cursor:
    """A psycopg cursor in the transaction of a SQLAlchemy connection: for COPY and for DDL."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 (narrows the type for the checker)
    return driver.cursor()


def _is_prepared(cursor: Cursor, made_from: str) -> bool:
    cursor.execute(
        "select obj_description(to_regclass(%s)), obj_description(to_regnamespace(%s))",
        [f"{SCHEMA}.publications", SCHEMA],
    )
    ((table, schema),) = cursor.fetchall()
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
