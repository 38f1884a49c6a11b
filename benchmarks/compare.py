"""The verdict: whether a peer's tables are ours, row by row and value by value. Only equal work is compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.peers.common import RESULTS
from lgs_assets.contracts.contract import Column
from lgs_assets.contracts.declaration import primary_key
from lgs_assets.warehouse.catalog import columns
from lgs_assets.warehouse.schema import SCHEMA, Cursor

LINES = ("raw_invoices", "clean_invoices")

TOLERANCE = Decimal("0.005")
"""Half a penny. Numbers that differ by less are inexact; by this or more, they are wrong."""

_FETCHED_AT_ONCE = 50_000


@dataclass(frozen=True)
class Verdict:
    """How a table compares with ours."""

    table: str
    rows: int
    wrong: str = ""
    """What is wrong with it; empty if it counts."""
    inexact: int = 0
    """Numbers that differ by less than TOLERANCE, as floats do."""
    largest: Decimal = Decimal(0)
    """By how much they differ at most."""


def compare(
    ours: str, theirs: str, *, schema: str = "public", tables: Sequence[str] = (*LINES, *RESULTS)
) -> list[Verdict]:
    """Compares the tables in `schema` of the database `theirs` with those of the platform in the database `ours`.

    Both are URLs of databases on one server, whose superuser they name.
    """
    with psycopg.connect(ours, autocommit=True) as connection, psycopg.connect(theirs, autocommit=True) as other:
        cursor = connection.cursor()
        cursor.execute("set work_mem = '512MB'")
        _mount(cursor, theirs, schema, tables)
        try:
            return [_verdict(cursor, other.cursor(), schema, table) for table in tables]
        finally:
            cursor.execute("drop server peer cascade; drop schema theirs")


def _mount(cursor: Cursor, url: str, schema: str, tables: Sequence[str]) -> None:
    """Makes the other database's tables readable here, in the schema `theirs`."""
    there = urlsplit(url)
    cursor.execute("create extension if not exists postgres_fdw; create schema theirs")
    options = {"host": there.hostname, "port": str(there.port), "dbname": there.path.lstrip("/")}
    options |= {"fetch_size": str(_FETCHED_AT_ONCE)}
    account = {"user": there.username, "password": there.password}
    cursor.execute(
        sql.SQL("create server peer foreign data wrapper postgres_fdw options ({})").format(_options(options))
    )
    cursor.execute(sql.SQL("create user mapping for current_user server peer options ({})").format(_options(account)))
    cursor.execute(
        sql.SQL("import foreign schema {} limit to ({}) from server peer into theirs").format(
            sql.Identifier(schema), sql.SQL(", ").join(map(sql.Identifier, tables))
        )
    )


def _options(options: dict[str, str | None]) -> sql.Composed:
    pairs = [sql.SQL("{} {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in options.items()]
    return sql.SQL(", ").join(pairs)


def _verdict(cursor: Cursor, other: Cursor, schema: str, table: str) -> Verdict:
    declared = columns(cursor, SCHEMA, table)
    there = {column.name for column in columns(cursor, "theirs", table)}
    if missing := [column.name for column in declared if column.name not in there]:
        return Verdict(table, 0, wrong=f"has no {', '.join(missing)}" if there else "is missing")
    try:
        rows, ours = _fingerprint(cursor, sql.Identifier(SCHEMA, table), declared)
        if (rows, ours) == _fingerprint(other, sql.Identifier(schema, table), declared):
            return Verdict(table, rows)
        cursor.execute(_comparison(table, declared, primary_key(table)))
    except psycopg.DataError as error:
        return Verdict(table, 0, wrong=f"holds what it cannot hold: {error.diag.message_primary}")
    ((rows, rows_there, only_ours, only_theirs, *per_column),) = cursor.fetchall()
    counted = zip(declared, per_column[::3], per_column[1::3], per_column[2::3], strict=True)
    faults = [f"{rows_there:,} rows, not {rows:,}"] if rows_there != rows else []
    if only_ours or only_theirs:
        faults.append(f"{only_ours:,} rows are missing, {only_theirs:,} are none of ours")
    inexact, largest = 0, Decimal(0)
    for column, different, beyond, difference in counted:
        if beyond:
            by = f" by up to {difference:f}" if difference else ""
            faults.append(f"{column.name} differs{by} in {beyond:,} rows")
        elif different:
            inexact += different
            largest = max(largest, difference)
    return Verdict(table, rows_there, wrong="; ".join(faults), inexact=inexact, largest=largest)


def _fingerprint(cursor: Cursor, table: sql.Identifier, declared: list[Column]) -> tuple[int, Decimal]:
    """The number of rows and a hash of all, whatever their order. If both are equal, no value needs a look."""
    texts = [
        sql.SQL("coalesce({}::text, 'no value')").format(
            sql.SQL("trim_scale({})" if column.type == "numeric" else "{}").format(sql.Identifier(column.name))
        )
        for column in declared
    ]
    cursor.execute(
        sql.SQL(
            "select count(*), sum(hashtextextended(concat_ws(E'\\x1f', {}), 0)::numeric) "
            "from (select {} from {}) as rows"
        ).format(
            sql.SQL(", ").join(texts),
            sql.SQL(", ").join(_value(column, table) for column in declared),
            table,
        )
    )
    ((rows, hash_of_all),) = cursor.fetchall()
    return rows, hash_of_all


def _comparison(table: str, declared: list[Column], key: Sequence[str]) -> sql.Composed:
    """One row: the rows of both, those on one side only, and for each column the different, the wrong, the largest."""
    ours, theirs = sql.Identifier(SCHEMA, table), sql.Identifier("theirs", table)
    return sql.SQL(
        "select (select count(*) from {ours}), (select count(*) from {theirs}), "
        "count(*) filter (where theirs.{first} is null), count(*) filter (where ours.{first} is null), {counts} "
        "from (select {our_values} from {ours}) as ours "
        "full join (select {their_values} from {theirs}) as theirs on ({joined})"
    ).format(
        ours=ours,
        theirs=theirs,
        first=sql.Identifier(key[0]),
        counts=sql.SQL(", ").join(_counts(column, key[0]) for column in declared),
        our_values=sql.SQL(", ").join(_value(column, ours) for column in declared),
        their_values=sql.SQL(", ").join(_value(column, theirs) for column in declared),
        joined=sql.SQL(" and ").join(sql.SQL("ours.{0} = theirs.{0}").format(sql.Identifier(name)) for name in key),
    )


def _value(column: Column, table: sql.Identifier) -> sql.Composed:
    """A column as it is compared: in our type, floats digit by digit, lines numbered from the first."""
    name = sql.Identifier(column.name)
    if column.name == "line_number":
        return sql.SQL("{0} - (select min({0}) from {1}) as {0}").format(name, table)
    by_text = sql.SQL("::text" if column.type == "numeric" else "")  # otherwise the cast would round a float
    return sql.SQL("{0}{1}::{2} as {0}").format(name, by_text, sql.SQL(column.type))


def _counts(column: Column, key: str) -> sql.Composed:
    """Over the rows on both sides: how many differ in the column, in how many that is wrong, by how much at most."""
    name, is_pair = sql.Identifier(column.name), sql.SQL("ours.{0} = theirs.{0}").format(sql.Identifier(key))
    different = "count(*) filter (where {is_pair} and ours.{name} is distinct from theirs.{name})"
    if column.type == "numeric":
        far = "abs(ours.{name} - theirs.{name}) >= {tolerance} or (ours.{name} is null) <> (theirs.{name} is null)"
        query = (
            f"{different}, count(*) filter (where {{is_pair}} and ({far})), max(abs(ours.{{name}} - theirs.{{name}}))"
        )
    else:
        query = f"{different}, {different}, null::numeric"
    return sql.SQL(query).format(name=name, is_pair=is_pair, tolerance=sql.Literal(TOLERANCE))
