"""From a table of another database to a dump file: a script as `pg_dump` writes it, with the lines in one COPY block.

The other database is somebody's production: one transaction reads one state of it, and is read-only where the database
supports that. Prices come exactly as they are stored: a binary float as the shortest decimal number that stands for it,
as in `pg_dump`.
"""

import gzip
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from lgs_assets import addresses
from lgs_assets.errors import DumpError, LgsError, UnavailableError
from lgs_assets.sources.columns import CANONICAL_COLUMNS, canonical, stated_currency
from lgs_assets.sources.copy_text import END, escaped
from lgs_assets.sources.dates import iso
from lgs_assets.sources.numbers import POUND

ROWS_AT_ONCE = 5_000
CONNECT_SECONDS = 30
KEEPALIVE_SECONDS = 60  # how long a connection may be silent before the other side is probed

# The default driver for a URL that names none, and the extra of this project that installs it.
_DRIVERS = {
    "postgresql": ("psycopg", ""),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
    "mssql": ("pymssql", "sqlserver"),
}
# SQLAlchemy's type for a binary float of four bytes in each. Every other float has eight.
_SINGLE_PRECISION: dict[str, type] = {"postgresql": sa.REAL, "mssql": sa.REAL, "mysql": sa.FLOAT, "mariadb": sa.FLOAT}
# Error codes for a statement that took too long: of PostgreSQL, MariaDB, MySQL, and pymssql.
_TIMED_OUT = {"57014", 1969, 3024, 20003}

_OF_A_VALUE = (ValueError, TypeError, ArithmeticError, sa.exc.DataError, sa.exc.OperationalError)
# SQLite itself takes '10:00', 'now' and '2455843.5' for dates, too.
_DATE_IN_SQLITE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
_UNDECODABLE = "Could not decode to UTF-8"  # SQLite's words

_HEAD = """\
-- Invoice lines, pulled by lgs from another database.
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

COPY public.retail (%s) FROM stdin;
"""

_Columns = dict[str, sa.ColumnElement[Any]]


def dump_table(
    url: str,
    table: str,
    path: Path,
    *,
    since: datetime | None,
    timeout_seconds: int,
    progress: Callable[[int], None] = lambda lines: None,
) -> int:
    """Writes lines of a table to `path`, as a gzipped SQL dump, and returns how many.

    They are all the lines of every invoice that has one at or after `since`, or of every invoice if that is None. The
    same lines give the same bytes. The table may be `schema.table`, and may have more columns than a dump needs; these
    may have any name that dumps give them. No statement and no wait for an answer takes longer than `timeout_seconds`,
    where the database can enforce it. `progress` is called with the number of lines so far; memory does not grow with
    it.

    Raises UnavailableError if the database cannot be reached or the connection is lost, DumpError if the table does
    not hold invoice lines, LgsError for anything else that the database refuses. None of them shows the password.
    """
    engine = _engine(url, timeout_seconds)
    where = f"Table {table} of {addresses.shown(engine.url)}"
    with _faults_as_lgs_errors(where), engine.connect() as connection:
        for statement in _opening(connection.dialect, timeout_seconds):
            connection.exec_driver_sql(statement)
        schema, _, name = table.rpartition(".")
        with warnings.catch_warnings(action="ignore", category=sa.exc.SAWarning):  # about types that it does not know
            found = sa.inspect(connection).get_columns(name, schema or None)
        by_value = engine.dialect.name == "sqlite"  # its types say little, and those of a view's columns nothing
        fields = (sa.column(column["name"], sa.DateTime() if by_value else column["type"]) for column in found)
        columns = invoice_columns(sa.table(name, *fields, schema=schema or None), where=where)
        if by_value:
            columns = _as_stored(columns)
            _check_dates(connection, columns["invoice_date"], where)
            # As text, the date alone is less than its midnight.
            since = since and since - timedelta(microseconds=1)
        writers = [_writer(name, column, engine.dialect.name, where) for name, column in columns.items()]
        lines = 0
        with path.open("wb") as file, gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as dump:
            dump.write((_HEAD % ", ".join(map(_named, columns.items()))).encode())
            query = lines_query(columns, since=since)
            with _values_named(connection, columns, since=since, where=where):
                for rows in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}).partitions():
                    dump.write("".join([_line(row, writers) for row in rows]).encode())
                    lines += len(rows)
                    progress(lines)
            dump.write(END)
    return lines


def invoice_columns(table: sa.TableClause, *, where: str) -> _Columns:
    """The table's columns by their canonical names. Raises DumpError, starting with `where`, if one is unsuitable."""
    from sqlalchemy.dialects import mssql  # here, as it would cost every command a quarter of a second

    names = canonical(table.columns.keys(), where=where)
    by_name = {name: column for name, column in zip(names, table.columns, strict=True) if name}
    dates = by_name["invoice_date"]
    has_zone = getattr(dates.type, "timezone", False) or isinstance(dates.type, mssql.DATETIMEOFFSET)
    if has_zone or not isinstance(dates.type, sa.Date | sa.DateTime):
        raise DumpError(
            f"{where}, column {dates.name}: expected timestamps without a time zone, in the retailer's local time; "
            f"found {dates.type!r}. Make a view that converts them, and name it in LGS_SOURCE_TABLE."
        )
    return {name: by_name[name] for name in CANONICAL_COLUMNS}


def _named(column: tuple[str, sa.ColumnElement[Any]]) -> str:
    """The name of a column in the dump: a price in another currency keeps the one that states it."""
    canonical_name, source = column
    currency = stated_currency(source.name) if canonical_name == "unit_price" else None
    return canonical_name if currency in (None, POUND) else '"{}"'.format(source.name.replace('"', '""'))


def _as_stored(columns: _Columns) -> _Columns:
    """The columns without types: SQLite stores any value in any column, and each is read as what it is."""
    declared = columns["invoice_no"].table
    table = sa.table(declared.name, *(sa.column(column.name) for column in columns.values()), schema=declared.schema)
    return {name: table.columns[column.name] for name, column in columns.items()}


def _check_dates(connection: sa.Connection, dates: sa.ColumnElement[Any], where: str) -> None:
    """Raises DumpError if SQLite cannot tell which of two dates is later: it compares them as texts."""
    has_date = sa.and_(sa.func.typeof(dates) == "text", dates.op("GLOB")(_DATE_IN_SQLITE))
    strange = sa.select(dates).where(dates.is_not(None), sa.or_(~has_date, sa.func.datetime(dates).is_(None))).limit(1)
    if (found := connection.execute(strange).first()) is not None:
        raise DumpError(
            f"{where}, column {dates.name}: expected dates as texts like 2011-12-09 12:50:00, found {found[0]!r}. "
            "Make a view that converts them, and name it in LGS_SOURCE_TABLE."
        )


def lines_query(columns: _Columns, *, since: datetime | None) -> sa.Select[Any]:
    """The SELECT of the lines, in an order that depends on the lines alone.

    An invoice comes whole or not at all: if several dumps hold it, exactly the newest dump's lines count.
    """
    # Some servers round four-byte floats when they print them, and SQLAlchemy some eight-byte ones: none as Double.
    exact = {
        name: (sa.cast(column, sa.Double) if isinstance(column.type, sa.Float) else column).label(name)
        for name, column in columns.items()
    }
    order = ("invoice_date", "invoice_no", *CANONICAL_COLUMNS)
    query = sa.select(*exact.values()).order_by(*(exact[name] for name in dict.fromkeys(order)))
    if since is None:
        return query
    number, moment = columns["invoice_no"], columns["invoice_date"]
    recent = number.table.alias("recent")
    return query.where(number.in_(sa.select(recent.c[number.name]).where(recent.c[moment.name] >= since)))


def _engine(url: str, timeout_seconds: int) -> sa.Engine:
    """An engine that has not connected yet. Raises LgsError, without the password, if there is no driver for it."""
    parsed = addresses.parse_url(url, variable="LGS_SOURCE_URL")
    backend = parsed.get_backend_name()
    driver, extra = _DRIVERS.get(backend, ("", ""))
    if driver and "+" not in parsed.drivername:
        parsed = parsed.set(drivername=f"{backend}+{driver}")
    try:
        arguments = _connect_args(parsed.get_driver_name(), timeout_seconds)
        return sa.create_engine(parsed, poolclass=sa.NullPool, connect_args=arguments)
    except sa.exc.NoSuchModuleError as error:
        raise LgsError(
            f"LGS_SOURCE_URL: SQLAlchemy has no {parsed.drivername}; expected one of {', '.join(_DRIVERS)}."
        ) from error
    except (sa.exc.ArgumentError, ValueError):  # their text may hold a secret
        raise LgsError("LGS_SOURCE_URL: its driver rejects a parameter after the question mark.") from None
    except ModuleNotFoundError as error:
        ours = f'.venv/bin/pip install --constraint requirements.lock --editable ".[{extra}]"'
        remedy = ours if error.name == driver else f"pip install it, or name no driver: {backend}://"
        raise LgsError(f"LGS_SOURCE_URL: the driver {error.name} is not installed: {remedy}") from error


def _connect_args(driver: str, timeout_seconds: int) -> dict[str, Any]:
    """The driver's arguments, in its own words. A server's limits, if it has any, strike first: they give reasons."""
    match driver:
        case "psycopg":
            return {"connect_timeout": CONNECT_SECONDS, "keepalives_idle": KEEPALIVE_SECONDS, "application_name": "lgs"}
        case "pymysql":
            return {"connect_timeout": CONNECT_SECONDS, "read_timeout": timeout_seconds + CONNECT_SECONDS}
        case "pymssql":
            patience = {"login_timeout": CONNECT_SECONDS, "timeout": timeout_seconds}
            return patience | {"read_only": True, "appname": "lgs"}  # the intent: a read-only replica may answer
    return {}


def _opening(dialect: sa.Dialect, timeout_seconds: int) -> Sequence[str]:
    """The statements that begin the transaction: one state of the data, read-only, within the given time."""
    milliseconds = 1000 * timeout_seconds
    match dialect.name:
        case "postgresql":
            return (
                "set transaction isolation level repeatable read, read only",
                f"set local statement_timeout = {milliseconds}",
            )
        case "mysql" | "mariadb":
            is_mariadb = getattr(dialect, "is_mariadb", False)
            limit = f"max_statement_time = {timeout_seconds}" if is_mariadb else f"max_execution_time = {milliseconds}"
            return f"set session {limit}", "start transaction with consistent snapshot, read only"
        case "mssql":
            return (f"set lock_timeout {milliseconds}",)
    return ()


@contextmanager
def _faults_as_lgs_errors(where: str) -> Iterator[None]:
    """Turns a failure between the database and the file into an error that says whether to try again."""
    try:
        yield
    except sa.exc.NoSuchTableError:
        raise DumpError(f"{where}: there is no such table, or none that this login may see.") from None
    except sa.exc.DBAPIError as error:
        reason = f"{where}: {str(error.orig).strip()}"
        codes = {getattr(error.orig, "sqlstate", None), *getattr(error.orig, "args", ())}
        if codes & _TIMED_OUT:  # it would again
            remedy = "Allow more with LGS_SOURCE_TIMEOUT_SECONDS, or put an index on the dates of invoices."
            raise LgsError(f"{reason}. {remedy}") from error
        # ODBC reports a lost connection as just an error.
        broke_off = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or error.connection_invalidated
        raise (UnavailableError if broke_off else LgsError)(reason) from error
    except OSError as error:
        raise LgsError(f"{where}: the pull failed: {error}.") from error
    except (ValueError, TypeError, ArithmeticError) as error:  # a value that is not of the type of its column
        raise DumpError(f"{where}: a value cannot be read: {error}.") from error


def _is_of_a_value(error: Exception) -> bool:
    """Whether an error may be that of a value, and not of a connection that is lost, or a transaction that is over."""
    if isinstance(error, sa.exc.OperationalError):
        return _UNDECODABLE in str(error.orig)
    return isinstance(error, _OF_A_VALUE)


@contextmanager
def _values_named(
    connection: sa.Connection, columns: _Columns, *, since: datetime | None, where: str
) -> Iterator[None]:
    """Names the column and the value that the driver cannot read: it tells neither, and a table has many of both."""
    try:
        yield
    except _OF_A_VALUE as error:
        if not _is_of_a_value(error):
            raise
        reason = str(getattr(error, "orig", error)).strip()
        for name, column in columns.items():
            if (found := _unreadable_value(connection, columns, name, since=since)) is not None:
                raise DumpError(
                    f"{where}, column {column.name}: {found} cannot be read: {reason}. "
                    "Correct it, or make a view without it, and name that in LGS_SOURCE_TABLE."
                ) from error
        raise


def _unreadable_value(connection: sa.Connection, columns: _Columns, name: str, *, since: datetime | None) -> str | None:
    """The first value of a column that cannot be read by itself, as a text; None if all can be."""
    lines = lines_query(columns, since=since).order_by(None).subquery()
    values = sa.select(lines.c[name]).distinct().order_by(lines.c[name])
    read = 0
    try:
        for _ in connection.execute(values, execution_options={"yield_per": 1}):
            read += 1
    except (*_OF_A_VALUE, sa.exc.SQLAlchemyError) as error:
        if not _is_of_a_value(error):  # nothing can be asked any more
            return None
        at_fault = values.offset(read).limit(1).subquery()
        try:
            return repr(connection.execute(sa.select(sa.cast(at_fault.c[name], sa.String(100)))).scalar_one())
        except (sa.exc.SQLAlchemyError, ValueError):
            return "a value"
    return None


def _writer(name: str, column: sa.ColumnElement[Any], backend: str, where: str) -> Callable[[Any], str]:
    """What turns a value of the column into text, as COPY reads it."""
    is_single = isinstance(column.type, _SINGLE_PRECISION.get(backend, ()))
    is_padded = isinstance(column.type, sa.CHAR | sa.NCHAR)  # some servers pad these with blanks
    is_whole = name in ("quantity", "customer_id")

    def text(value: Any) -> str:
        match value:
            case str() if name == "invoice_date":
                return _iso_if_real(value)
            case str():
                return escaped(value.rstrip(" ") if is_padded else value)
            case float():
                return _shortest(value, is_single=is_single)
            case Decimal():
                return f"{value.normalize() if is_whole else value:f}"
            case int() | date() if not getattr(value, "tzinfo", None):
                return str(value)
        raise DumpError(f"{where}, column {name}: expected text, a number or a timestamp; found {value!r}.")

    return text


def _iso_if_real(text: str) -> str:
    """A date as every database writes it. One that is not real stays as it is: its line is rejected, not the dump."""
    try:
        return iso(text)
    except ValueError:
        return escaped(text)


def _line(row: Sequence[Any], writers: Sequence[Callable[[Any], str]]) -> str:
    fields = [escaped(None) if value is None else write(value) for write, value in zip(writers, row, strict=True)]
    return "\t".join(fields) + "\n"


@lru_cache(maxsize=1 << 14)
def _shortest(value: float, *, is_single: bool) -> str:
    """The shortest decimal number that reads as this float, and as no other of its size."""
    return np.format_float_positional(np.float32(value) if is_single else value, trim="-")
