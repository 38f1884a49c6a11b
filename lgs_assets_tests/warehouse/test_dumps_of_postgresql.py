"""What PostgreSQL writes comes back equal through a load: COPY, CSV, pg_dump, and scripts that psql runs."""

import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.sources.identity import country, invoice_number, stock_code
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets.warehouse.server import program
from lgs_assets_tests.warehouse.evidence import COLUMNS, differences

COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n"
GOOD = "536365\t85123A\tLANTERN\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom\n"

PIECES = [
    *("\t", "\n", "\r", "\r\n", "\\", "\\N", "\\.", "\n\\.\n", "\x01", "\x7f"),
    *("'", '"', ",", ";", "$$", " ", "£", "é", "👩\u200d🚀", "b"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
# Between letters, so that no text is missing, has blanks to be trimmed, or is too long for an invoice line.
INNER = TEXTS.map(lambda text: f"x{text[:90]}x")
ROWS = st.lists(st.tuples(INNER, INNER, st.none() | INNER, INNER), min_size=8, max_size=24)


def write_and_read_back(database: str, warehouse: Warehouse, folder: Path, rows: list[Any], *, as_csv: bool) -> int:
    """Has PostgreSQL write the rows, loads what it wrote, and counts the differences.

    What tells an invoice, a product and a country from others is spelt as the platform keeps it.
    """
    options = "format csv, header, force_quote (invoice_no, country)" if as_csv else "format text"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop table if exists public.retail")
        connection.execute(
            "create table public.retail (line int, invoice_no text, stock_code text, description text, quantity int, "
            "invoice_date timestamp, unit_price numeric, customer_id numeric, country text)"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into public.retail values (%s, %s, %s, %s, -1, '2011-01-01', 0.1, null, %s)",
                [
                    (number, invoice_number(f"C{invoice}"), stock_code(f".{code}"), description, country(name))
                    for number, (invoice, code, description, name) in enumerate(rows)
                ],
            )
            copy = f"copy (select {COLUMNS} from public.retail order by line) to stdout ({options})"
            with cursor.copy(copy.encode()) as written:
                content = b"".join(written)
        path = folder / "retail"
        path.write_bytes(content if as_csv else COPY.encode() + content + b"\\.\n")
        load_dump(warehouse, DumpFile(path, "retail"))
        return differences(
            warehouse,
            f"select row_number() over (order by line), {COLUMNS} from public.retail",
            f"select row_number() over (order by line_number), {COLUMNS} from raw_invoices",
        )


def test_text_that_postgresql_writes_comes_back_equal(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever the text, COPY TO and a load are inverse, row by row and in order."""

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(ROWS)
    def check(rows: list[Any]) -> None:
        assert write_and_read_back(database, warehouse, tmp_path, rows, as_csv=False) == 0

    check()


def test_csv_that_postgresql_writes_comes_back_equal(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Quoted or not."""

    @settings(derandomize=True, deadline=None, max_examples=15)
    @given(ROWS)
    def check(rows: list[Any]) -> None:
        assert write_and_read_back(database, warehouse, tmp_path, rows, as_csv=True) == 0

    check()


def test_csv_values_of_several_lines_come_back_equal(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """A line break within quotes is part of the value."""
    assert write_and_read_back(database, warehouse, tmp_path, [("1", "2", "a\nb", "UK")], as_csv=True) == 0


# Statements that PostgreSQL accepts, of text that looks like something else.
WORDS = st.lists(
    st.sampled_from(
        ["it", "'", '"', ";", "--", "/*", "*/", "$$", "$a$", "$", "\\", "\\.", "\n\\.\n", "\n", "\r\n", "é", COPY, "E'"]
    ),
    max_size=8,
).map("".join)
PLAIN_WORDS = WORDS.map(lambda text: text.replace("/*", "").replace("*/", "").replace("\n", " ").replace("\r", " "))
BLANKS = st.one_of(
    st.sampled_from(["", " ", "\n", "\r\n"]),
    PLAIN_WORDS.map("--{}\n".format),
    PLAIN_WORDS.map("/*{} */".format),
    PLAIN_WORDS.map("/* /*{} */ */".format),
)
VALUES = st.one_of(
    WORDS.map(lambda text: "'" + text.replace("'", "''") + "'"),
    WORDS.map(lambda text: "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    WORDS.map(lambda text: "e'" + text.replace("\\", "\\\\").replace("'", "''") + "\\\\'"),
    WORDS.map(lambda text: "$a$" + text.replace("$a$", "").rstrip("$") + "$a$"),
    WORDS.map(lambda text: "$$" + text.replace("$", "") + "$$"),
    WORDS.map(lambda text: '1 as "x' + text.replace('"', '""') + '"'),
    st.sampled_from(["1 - -1", "8/2*3", "1 as a$b$", "2 as é$a$", "date '2010-01-01'", "n'x'", "b'01'", "null", "''"]),
)
STATEMENTS = st.one_of(
    st.lists(st.tuples(BLANKS, VALUES, BLANKS).map("".join), min_size=1, max_size=4).map(
        lambda values: f"select {','.join(values)};"
    ),
    BLANKS.map(lambda blanks: f"{blanks}\n{COPY}{GOOD}\\.\n"),
    WORDS.map(lambda text: "\nCOPY public.other (a) FROM stdin;\n" + re.sub(r"[\\\r]", "", text) + "x\n\\.\n"),
    st.sampled_from(["\n\\echo $$ ; /* --\n", "\n\\set x 'it'\n"]),
)


def test_psql_takes_the_same_lines_from_a_script(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Run by PostgreSQL's own program, a script puts into `retail` what the walk through it finds."""

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(st.lists(STATEMENTS, min_size=10, max_size=30))
    def check(statements: list[str]) -> None:
        script = f"{''.join(statements)}\n{COPY}{GOOD}\\.\n"
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "drop table if exists public.retail, public.other; create table public.other (a text);"
                "create table public.retail (like lgs.raw_invoices);"
                "alter table public.retail drop dump, drop line_number"
            )
            path = tmp_path / "retail.sql"
            path.write_bytes(script.encode())
            options = ["--no-psqlrc", "--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1"]
            subprocess.run([str(program("psql")), *options, "--file", str(path), database], check=True)
            ((taken,),) = connection.execute("select count(*) from public.retail")
        assert load_dump(warehouse, DumpFile(path, "retail.sql")).lines == taken

    check()


SHOP = r"""
create schema "Shop; --";
create table "Shop; --".a_table (id int, note text);
insert into "Shop; --".a_table select n, E'it''s\t\\. $$ ";' from generate_series(1, 1000) n;
create table "Shop; --".retail (
    "e-mail; ""x"" --" text default 'a@example.org', country text, customer_id real, "select" int, unit_price real,
    invoice_date timestamp, quantity int, description text, stock_code text, invoice_no text,
    constraint "it's ""odd"" --" check (description <> E'\\''; COPY retail (a) FROM stdin;')
);
comment on table "Shop; --".retail is E'C:\\ it''s "so"; \n COPY retail FROM stdin; \n \\.';
create function "Shop; --".decoy() returns text language plpgsql as $_$
begin
    -- it's $$ " /*
    return $x$
COPY retail FROM stdin;
1
\.
$x$;
end $_$;
create view "Shop; --".v as select 'it''s; --' as "odd "" name", a - -1 as b, /* c */ $$x$$ as d from (select 1) s (a);
create table z_table as table "Shop; --".a_table;
insert into "Shop; --".retail
    (invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country)
select n::text, 'S' || n, (array['it''s', E'a\tb', E'\\.', E'x\\N', 'é £', 'y', null])[1 + n % 7], n - 500,
    timestamp '2009-12-01 07:45' + n * interval '13 minutes', (n / 1000.0)::real, nullif(13000 + n % 5, 13000), 'EIRE'
from generate_series(1, 1000) n;
"""
SHOP_LINES = f"""
select {COLUMNS.replace("unit_price", "unit_price::text::numeric").replace("customer_id", "customer_id::numeric")}
from "Shop; --".retail
"""


@pytest.fixture(scope="module")
def shop(make_database: Callable[[], str]) -> Iterator[Warehouse]:
    """A warehouse in a database that also holds the retailer's own tables."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(SHOP.encode())
    yield warehouse
    warehouse.engine.dispose()


def pg_dump(warehouse: Warehouse, path: Path, *options: str, settings: str = "") -> Path:
    command = [str(program("pg_dump")), "--dbname", warehouse.url, "--file", str(path), *options]
    subprocess.run(command, check=True, env={**os.environ, "PGOPTIONS": settings})
    return path


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--quote-all-identifiers",),
        ("--encoding=LATIN1",),
        ("--clean", "--if-exists", "--create", "--verbose"),
        ("--no-owner", "--section=pre-data", "--section=data"),
        ("--data-only", "--disable-triggers"),
    ],
    ids=" ".join,
)
def test_the_retailers_own_pg_dump_is_read(shop: Warehouse, tmp_path: Path, options: tuple[str, ...]) -> None:
    """What the program itself writes, other tables, odd names and functions around the table included, loads equal."""
    path = pg_dump(shop, tmp_path / "retail.sql", *options)
    assert load_dump(shop, DumpFile(path, "retail.sql")).lines == 1000
    assert differences(shop, SHOP_LINES, f"select {COLUMNS} from raw_invoices") == 0


def test_pg_dump_without_standard_strings_is_read(shop: Warehouse, tmp_path: Path) -> None:
    """Servers of old have backslashes escape in every string, and pg_dump writes for the server that it reads."""
    path = pg_dump(shop, tmp_path / "retail.sql", settings="-c standard_conforming_strings=off")
    assert "SET standard_conforming_strings = off;" in path.read_text()
    assert load_dump(shop, DumpFile(path, "retail.sql")).lines == 1000
    assert differences(shop, SHOP_LINES, f"select {COLUMNS} from raw_invoices") == 0


def test_pg_dump_on_windows_is_read(shop: Warehouse, tmp_path: Path) -> None:
    """The same with the line breaks of Windows, in a zip archive."""
    script = pg_dump(shop, tmp_path / "retail.sql").read_bytes().replace(b"\n", b"\r\n")
    with zipfile.ZipFile(tmp_path / "retail.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("retail.sql", script)
    assert load_dump(shop, DumpFile(tmp_path / "retail.zip", "retail.sql")).lines == 1000
    assert differences(shop, SHOP_LINES, f"select {COLUMNS} from raw_invoices") == 0


def test_pg_dump_of_a_partitioned_table_is_read(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Loaded through the root, the table comes in one block a partition, an empty one among them."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "set search_path = public;"
            "create table retail (invoice_no text, stock_code text, description text, quantity int, "
            "invoice_date timestamp, unit_price real, customer_id real, country text) partition by list (country);"
            "create table one partition of retail for values in ('EIRE');"
            "create table two partition of retail for values in ('Malta');"
            "create table three partition of retail default;"
            "insert into retail select n, 's', 'd', n, '2010-01-01', 1, 13085, (array['EIRE', 'France'])[1 + n % 2] "
            "from generate_series(1, 10) n"
        )
    path = pg_dump(warehouse, tmp_path / "retail.sql", "--load-via-partition-root", "--table=*.*")
    assert path.read_text().count("COPY public.retail (") == 3
    assert load_dump(warehouse, DumpFile(path, "retail.sql")).lines == 10
    shown = f"select {COLUMNS} from "
    assert differences(warehouse, f"{shown} public.retail", f"{shown} raw_invoices") == 0
