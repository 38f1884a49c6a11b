"""The database: which one it is, how to connect to it, and its preparation for the first use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from lgs_assets import addresses
from lgs_assets.configuration import LAST_WORDS, forget_variables
from lgs_assets.errors import DiskFullError, PermanentError, ServerError
from lgs_assets.warehouse.locks import PATIENCE_SECONDS
from lgs_assets.warehouse.preparation import prepare
from lgs_assets.warehouse.schema import SCHEMA, Cursor, become_owner, driver_cursor

# The errors of a server that was killed, or whose disk or memory is full; psycopg's own, or wrapped by SQLAlchemy.
_BROKEN_OFF = (psycopg.OperationalError, psycopg.InternalError, sa.exc.OperationalError, sa.exc.InternalError)
# SQLSTATE classes for what may pass: connections, transaction conflicts, lack of resources, operator intervention, the
# system, and PostgreSQL's internal errors. And their members that last: a statement that was cancelled or takes too
# long, a dropped database, damaged data.
_PASSING = {"08", "40", "53", "57", "58", "XX"}
_LASTING = {"57014", "57P04", "XX001", "XX002"}
_DISK_FULL = "53100"


def engine_of(url: str, *, application: str, options: str, **settings: Any) -> sa.Engine:
    """Connections to a database, with the options of their sessions. One cut by a restart of the server is replaced.

    `settings` are further arguments of SQLAlchemy's `create_engine`.
    """
    # SQLAlchemy 2.1 takes a plain postgresql:// for psycopg 3; said here for readers of this line.
    address = addresses.parse_url(url, variable="LGS_DATABASE_URL").set(drivername="postgresql+psycopg")
    forget_variables(*LAST_WORDS)
    arguments = {"options": options, "application_name": application, "client_encoding": "UTF8"}
    return sa.create_engine(address, connect_args=arguments, pool_pre_ping=True, **settings)


class Warehouse:
    """The tables of the lineage in one PostgreSQL database, in the schema `lgs`.

    No connection is made, and no server started, before the first use, which also creates the schema.
    """

    def __init__(self, where: str | Callable[[], str]) -> None:
        """`where` is the URL of the database, or a function that returns it, starting an embedded server if need be."""
        self._locate = where if callable(where) else lambda: where
        self._engine: sa.Engine | None = None
        self._is_prepared = False

    @property
    def url(self) -> str:
        """The URL of the database, with its password."""
        return self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def engine(self) -> sa.Engine:
        """Connections that find the tables by their bare names. The time zone is UTC: timestamps have none."""
        engine = self._engine  # another thread may take it away: see `_connection`
        if engine is None:
            options = (
                f"-c search_path={SCHEMA} -c timezone=UTC -c datestyle=ISO,YMD -c lock_timeout={PATIENCE_SECONDS}s"
            )
            engine = self._engine = engine_of(self._locate(), application="lgs", options=options)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end of the block, rolled back if the block raises.

        It works as `lgs_owner` where the login may: tables then belong to one role, whoever builds them.
        Raises ServerError if the server cannot be reached or is lost (killed, out of disk, out of memory), and
        PermanentError if it refuses what it would refuse again.
        """
        try:
            self.prepare()
            with self._connection() as connection, connection.begin():
                become_owner(driver_cursor(connection))
                yield connection
        except _BROKEN_OFF as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise self._server_error(cause) from error

    def rows(self, query: str, **parameters: Any) -> list[sa.RowMapping]:
        """The rows of one SELECT in SQLAlchemy's notation, `:name` for a parameter."""
        with self.transaction() as connection:
            return list(connection.execute(sa.text(query), parameters).mappings())

    def prepare(self) -> None:
        """Creates or upgrades the schemas, the kept tables and the roles. Raises as `preparation.prepare` does."""
        if not self._is_prepared:
            prepare(self._preparing)
            self._is_prepared = True

    @contextmanager
    def _preparing(self) -> Iterator[Cursor]:
        with self._connection() as connection, connection.begin():
            yield driver_cursor(connection)

    def _connection(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sa.exc.OperationalError:
            self.engine.dispose()
            self._engine = None  # the embedded server may have stopped, and may restart on another port
        try:
            return self.engine.connect()
        except sa.exc.OperationalError as error:
            raise ServerError(f"PostgreSQL at {self._shown_url} cannot be used: {error.orig}") from error

    def _server_error(self, cause: BaseException | None) -> ServerError:
        """Tells what may pass from what will not, by the SQLSTATE; a lost connection has none."""
        state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
        if isinstance(cause, psycopg.Error) and state == _DISK_FULL:
            reason = str(cause.diag.message_primary)
            return DiskFullError(f"PostgreSQL at {self._shown_url}", reason)
        if state is None or (state[:2] in _PASSING and state not in _LASTING):
            disk = " (is its disk full?)" if state is None or "disk" in str(cause) else ""
            return ServerError(
                f"PostgreSQL at {self._shown_url} failed: {cause}. Nothing is left half done: "
                f"check the server{disk} and run the same command again."
            )
        assert isinstance(cause, psycopg.Error)  # noqa: S101 (it has a SQLSTATE)
        # Without PostgreSQL's hint, which may be to drop what depends on a table.
        reason = "; ".join(f"{cause.diag.message_primary}\n{cause.diag.message_detail or ''}".splitlines())
        return PermanentError(
            f"PostgreSQL at {self._shown_url} refuses this, and would again: {reason}. Nothing is left half done."
        )

    @property
    def _shown_url(self) -> str:
        return addresses.shown(self.engine.url.set(drivername="postgresql"))
