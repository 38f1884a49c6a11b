"""What PostgreSQL itself writes comes back equal, in whatever shape it writes it."""

import os
import subprocess
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.sources.identity import country, invoice_number, stock_code
from lgs_assets.warehouse.server import program
from lgs_assets_tests.sources.reading import COLUMNS, COPY, or_none, read, typed

PIECES = [
    *("\t", "\n", "\r", "\r\n", "\\", "\\N", "\\.", "\n\\.\n", "\x01", "\x02", "\x7f", "NULL"),
    *("'", "''", '"', '""', ",", ";", "$$", " ", "£", "é", "b", "(", "), ('", "--", "/*", "*/", "\nGO\n", COPY),
]
PERIOD = datetime(1990, 1, 1), datetime(2025, 12, 31)
LONGEST = 98  # of a name, which has a letter before and behind it: at its ends, a quote would reject its line
NARROW = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda pieces: "".join(pieces)[:LONGEST])
WIDE = NARROW | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
OPTIONS: list[tuple[Sequence[str], str]] = [
    ((), ""),
    (("--quote-all-identifiers",), ""),
    (("--inserts",), ""),
    (("--column-inserts", "--quote-all-identifiers"), ""),
    (("--rows-per-insert=7",), ""),
    (("--inserts", "--on-conflict-do-nothing"), ""),
    (("--rows-per-insert=100",), "-c standard_conforming_strings=off"),
    ((), "-c standard_conforming_strings=off -c extra_float_digits=0"),
]
ENCODINGS: list[tuple[Sequence[str], str]] = [
    (("--encoding=LATIN1",), ""),
    (("--encoding=WIN1252", "--inserts"), ""),
]


def rows(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Legal lines."""
    names = texts.map(lambda text: f"C{text}C")
    numbers = st.integers(-(2**31), 2**31 - 1)
    moments = st.datetimes(*PERIOD) | st.datetimes(datetime(2010, 1, 1), datetime(2025, 12, 31)).map(
        lambda moment: moment.replace(microsecond=0)
    )
    prices = st.decimals(-99_999_999, 99_999_999, places=6) | st.decimals(-10, 1000, places=2) | st.just(Decimal("1e3"))
    customers = st.none() | st.integers(1, 2**31 - 1) | st.just(Decimal("13085.0"))
    line = st.tuples(names, names, st.none() | texts, numbers, moments, prices, customers, names)
    return st.lists(line, min_size=40, max_size=80)


def kept(line: tuple[Any, ...]) -> tuple[Any, ...]:
    """A line as the platform keeps it: an invoice has one spelling; some blanks and words mean nothing."""
    invoice, code, description, *others, name = line
    return (invoice_number(invoice), stock_code(code), or_none(description), *others, country(name))


def written(database: str, lines: list[tuple[Any, ...]], folder: Path) -> list[tuple[Any, ...]]:
    """Has PostgreSQL store the lines. Returns what it stored."""
    with psycopg.connect(database, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists public.retail")
        cursor.execute(
            "create table public.retail (id int generated always as identity, invoice_no text, stock_code text, "
            'description text, quantity int, "is ""x""" boolean default true, invoice_date timestamp, '
            "unit_price numeric, customer_id numeric, country text)"
        )
        values = ", ".join(["%s"] * 8)
        cursor.executemany(f"insert into public.retail ({COLUMNS}) values ({values})".encode(), lines)
        return cursor.execute(f"select {COLUMNS} from public.retail order by id".encode()).fetchall()


def dumped(database: str, path: Path, options: Sequence[str], settings: str) -> Path:
    command = [str(program("pg_dump")), "--dbname", database, "--table=public.retail", "--file", str(path), *options]
    subprocess.run(command, check=True, env={**os.environ, "PGOPTIONS": settings})
    return path


@pytest.mark.parametrize("narrow", [False, True], ids=["any text", "text of old encodings"])
def test_what_pg_dump_writes_comes_back_equal(make_database: Any, tmp_path: Path, narrow: bool) -> None:
    """Every shape of pg_dump, line by line and in order."""
    database = make_database()

    @settings(derandomize=True, deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
    @given(rows(NARROW if narrow else WIDE))
    def check(lines: list[tuple[Any, ...]]) -> None:
        stored = written(database, lines, tmp_path)
        for options, setting in ENCODINGS if narrow else OPTIONS:
            found = read(dumped(database, tmp_path / "retail.sql", options, setting))
            assert not found.rejects, options
            assert [typed(line) for line in found.good.values()] == list(map(kept, stored)), options

    check()


def test_csv_that_postgresql_writes_comes_back_equal(make_database: Any, tmp_path: Path) -> None:
    """Quoted or not, values of several lines included; an empty value is missing, and so is a word for that."""
    database = make_database()

    @settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
    @given(rows(WIDE), st.sampled_from(["", ", force_quote *"]), st.sampled_from(",;|\t"))
    def check(lines: list[tuple[Any, ...]], quotes: str, delimiter: str) -> None:
        stored = written(database, lines, tmp_path)
        copy = f"copy (select {COLUMNS} from public.retail order by id) to stdout "
        copy += f"(format csv, header, delimiter '{delimiter}'{quotes})"
        with psycopg.connect(database) as connection, connection.cursor().copy(copy.encode()) as content:
            found = read(b"".join(content))
        assert not found.rejects
        assert [typed(line) for line in found.good.values()] == list(map(kept, stored))

    check()
