"""Dumps become lines in the warehouse: exactly, as a whole or not at all, and without running anything in them."""

import gzip
import io
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets import project
from lgs_assets.errors import DumpError
from lgs_assets.sources import CANONICAL_COLUMNS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.dumps import load_dump, loaded_dumps
from lgs_assets.warehouse.server import program
from lgs_assets_tests.builders import Line, load_lines, write_dump

COLUMNS = ", ".join(CANONICAL_COLUMNS)
COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n"
GOOD = "536365\t85123A\tLANTERN\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom\n"
CSV_HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
CSV_GOOD = "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
REAL_LINES = 1_067_371
MEMORY_LIMIT_BYTES = 250 << 20


def load(warehouse: Warehouse, folder: Path, content: str | bytes, *, name: str = "retail.sql") -> list[dict[str, Any]]:
    """Loads a file of that name and content, and returns its lines."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    load_dump(warehouse, path, name=name)
    return lines_of(warehouse, name)


def lines_of(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    query = f"select line_number, {COLUMNS} from raw_invoices where dump = :name order by line_number"
    return [dict(row) for row in warehouse.rows(query, name=name)]


def state(warehouse: Warehouse) -> list[Any]:
    """Everything that a load may change, down to the files that hold the tables, and what must never be left over."""
    queries = (
        "select * from raw_invoices order by dump, line_number",
        "select * from dumps order by dump",
        "select relname, relnamespace::regnamespace::text, relfilenode from pg_class "
        "where relnamespace::regnamespace::text in ('lgs', 'lgs_staging') order by oid",
    )
    return [[tuple(row.values()) for row in warehouse.rows(query)] for query in queries]


def staged_tables(warehouse: Warehouse) -> list[str]:
    rows = warehouse.rows("select relname from pg_class where relnamespace = 'lgs_staging'::regnamespace")
    return [row["relname"] for row in rows]


def differences(warehouse: Warehouse, one: str, other: str) -> int:
    """How many rows one of two queries gives and the other does not, repeats counted. It may read every table."""
    query = f"select count(*) from ((({one}) except all ({other})) union all (({other}) except all ({one})))"
    with psycopg.connect(warehouse.url, options="-c search_path=lgs") as connection:
        ((count,),) = connection.execute(query.encode())
    return int(count)


# What a value of a line becomes.


@pytest.mark.parametrize("text", ["0.1", "1.005", "38970", "0.001", "0", "-11062.06", "1e+06", "0.000001", "2.550"])
def test_money_is_exact(warehouse: Warehouse, tmp_path: Path, text: str) -> None:
    """A price is the number that the dump writes, not the nearest float."""
    load_lines(warehouse, tmp_path, [Line(unit_price=text, quantity=3)])
    ((row),) = warehouse.rows("select unit_price, quantity * unit_price as total from raw_invoices")
    assert (row["unit_price"], row["total"]) == (Decimal(text), 3 * Decimal(text))


def test_a_customer_is_the_same_with_and_without_a_decimal_point(warehouse: Warehouse, tmp_path: Path) -> None:
    """13085, 13085.0 and 1.3085e+04 are one customer; NULL is none."""
    customers = ["13085", "13085.0", "1.3085e+04", None]
    load_lines(warehouse, tmp_path, [Line(customer_id=customer) for customer in customers])
    rows = warehouse.rows("select customer_id, count(*) as lines from raw_invoices group by 1 order by 1")
    assert [(row["customer_id"], row["lines"]) for row in rows] == [(13085, 3), (None, 1)]


def test_null_and_empty_text_differ(warehouse: Warehouse, tmp_path: Path) -> None:
    """In COPY's text format `\\N` is no value, and nothing is an empty one."""
    load_lines(warehouse, tmp_path, [Line(description=text) for text in (None, "", "N", "\\\\N")])
    assert [line["description"] for line in lines_of(warehouse, "retail.sql")] == [None, "", "N", "\\N"]


def test_columns_are_taken_by_name_and_others_are_kept_out(warehouse: Warehouse, database: str, tmp_path: Path) -> None:
    """Any order, in each block its own; what is in other columns is not even left in the files of the database."""
    secret = "ana@example.org"
    script = (
        f'COPY public.retail (country, "e-mail", {COLUMNS.replace(", country", "")}, "x""); --") FROM stdin;\n'
        f"UK\t{secret}\t1\t2\tx\t3\t2011-01-01\t4.5\t\\N\t{secret}\n\\.\n"
        f"{COPY}{GOOD}\\.\nCOPY public.retail (id, {COLUMNS}) FROM stdin;\n7\t{GOOD}\\.\n"
    )
    script += script.replace("LANTERN", "HEART")
    assert [tuple(line.values())[:4] for line in load(warehouse, tmp_path, script)] == [
        (2, "1", "2", "x"),
        (5, "536365", "85123A", "LANTERN"),
        (8, "536365", "85123A", "LANTERN"),
        (11, "1", "2", "x"),
        (14, "536365", "85123A", "HEART"),
        (17, "536365", "85123A", "HEART"),
    ]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("checkpoint")
        files = connection.execute(
            "select pg_read_binary_file(pg_relation_filepath(inhrelid)) from pg_inherits "
            "where inhparent = 'lgs.raw_invoices'::regclass"
        ).fetchall()
    assert len(files) == 1
    assert b"LANTERN" in files[0][0]
    assert secret.encode() not in files[0][0]


def test_a_line_keeps_its_number_in_the_file(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever stands between the blocks, the number leads back to the text that the line was written as."""
    blocks = "\n-- next\n".join(
        f"{COPY}{''.join(f'{block}-{line}' + GOOD[6:] for line in range(lines))}\\.\nCOPY o (a) FROM stdin;\n1\n\\.\n"
        for block, lines in enumerate([3, 0, 20_000, 1, 2])
    )
    written = f"SELECT E'\n\\n';\n{blocks}".split("\n")
    lines = load(warehouse, tmp_path, "\n".join(written))
    assert len(lines) == 20_006
    assert all(written[line["line_number"] - 1].startswith(f"{line['invoice_no']}\t") for line in lines)


def test_a_changing_encoding_is_followed(warehouse: Warehouse, tmp_path: Path) -> None:
    """Each block is read in the encoding that is set before it."""
    block = COPY + GOOD.replace("LANTERN", "£ 5 é") + "\\.\n"
    script = block.encode() + b"SET client_encoding = 'LATIN1';\n" + block.encode("latin-1")
    assert [line["description"] for line in load(warehouse, tmp_path, script)] == ["£ 5 é"] * 2


# What PostgreSQL writes, read back.

PIECES = [
    *("\t", "\n", "\r", "\r\n", "\\", "\\N", "\\.", "\n\\.\n", "\x01", "\x7f"),
    *("'", '"', ",", ";", "$$", " ", "£", "é", "👩\u200d🚀", "b"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.none() | TEXTS, TEXTS), min_size=8, max_size=24)


def write_and_read_back(database: str, warehouse: Warehouse, folder: Path, rows: list[Any], *, as_csv: bool) -> int:
    """Has PostgreSQL write the rows, loads what it wrote, and counts the differences."""
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
                [(number, f"C{row[0]}", f".{row[1]}", *row[2:]) for number, row in enumerate(rows)],
            )
            copy = f"copy (select {COLUMNS} from public.retail order by line) to stdout ({options})"
            with cursor.copy(copy.encode()) as written:
                content = b"".join(written)
        name = "retail.csv" if as_csv else "retail.sql"
        load(warehouse, folder, content if as_csv else COPY.encode() + content + b"\\.\n", name=name)
        return differences(
            warehouse,
            f"select row_number() over (order by line), {COLUMNS} from public.retail",
            f"select row_number() over (order by line_number), {COLUMNS} from raw_invoices",
        )


def test_text_that_postgresql_writes_comes_back_equal(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever the text, COPY TO and a load are inverse, row by row and in order."""

    @settings(derandomize=True, deadline=None, max_examples=30)
    @given(ROWS)
    def check(rows: list[Any]) -> None:
        assert write_and_read_back(database, warehouse, tmp_path, rows, as_csv=False) == 0

    check()


def test_csv_that_postgresql_writes_comes_back_equal(database: str, warehouse: Warehouse, tmp_path: Path) -> None:
    """Quoted or not, values of several lines included; an empty value is none."""
    usable = TEXTS.filter(lambda text: "\\." not in text.replace("\r", "\n").split("\n")[1:])

    @settings(derandomize=True, deadline=None, max_examples=20)
    @given(st.lists(st.tuples(*[usable] * 4), min_size=8, max_size=24))
    def check(rows: list[Any]) -> None:
        given_rows = [(*row[:2], row[2] or None, row[3] or "UK") for row in rows]
        assert write_and_read_back(database, warehouse, tmp_path, given_rows, as_csv=True) == 0

    check()


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

    @settings(derandomize=True, deadline=None, max_examples=30)
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
        assert load_dump(warehouse, path, name="retail.sql").lines == taken

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
select n::text, 'S' || n, (array['it''s', E'a\tb', E'\\.', E'\\N', 'é £', '', null])[1 + n % 7], n - 500,
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
    assert load_dump(shop, path, name="retail.sql").lines == 1000
    assert differences(shop, SHOP_LINES, f"select {COLUMNS} from raw_invoices") == 0


def test_pg_dump_without_standard_strings_is_read(shop: Warehouse, tmp_path: Path) -> None:
    """Servers of old have backslashes escape in every string, and pg_dump writes for the server that it reads."""
    path = pg_dump(shop, tmp_path / "retail.sql", settings="-c standard_conforming_strings=off")
    assert "SET standard_conforming_strings = off;" in path.read_text()
    assert load_dump(shop, path, name="retail.sql").lines == 1000
    assert differences(shop, SHOP_LINES, f"select {COLUMNS} from raw_invoices") == 0


def test_pg_dump_on_windows_is_read(shop: Warehouse, tmp_path: Path) -> None:
    """The same with the line breaks of Windows, in a zip archive."""
    script = pg_dump(shop, tmp_path / "retail.sql").read_bytes().replace(b"\n", b"\r\n")
    with zipfile.ZipFile(tmp_path / "retail.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("retail.sql", script)
    assert load_dump(shop, tmp_path / "retail.zip", name="retail.sql").lines == 1000
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
    assert load_dump(warehouse, path, name="retail.sql").lines == 10
    shown = f"select {COLUMNS} from "
    assert differences(warehouse, f"{shown} public.retail", f"{shown} raw_invoices") == 0


@pytest.mark.parametrize(
    ("option", "said"), [("--inserts", "expected COPY blocks"), ("--format=custom", "an archive of pg_dump")]
)
def test_other_kinds_of_pg_dump_are_refused(shop: Warehouse, tmp_path: Path, option: str, said: str) -> None:
    """INSERT statements and archives are told from a plain dump, and the error says how to make one."""
    path = pg_dump(shop, tmp_path / "retail.sql", option)
    with pytest.raises(DumpError, match=said):
        load_dump(shop, path, name="other.sql")


def test_nothing_in_a_dump_is_run(warehouse: Warehouse, tmp_path: Path) -> None:
    """Statements, commands to psql and hostile names have no effect: the lines load, and that is all."""
    trace = tmp_path / "folder for anybody" / "trace"
    trace.parent.mkdir(mode=0o777)
    trace.parent.chmod(0o777)
    script = f"""
DROP TABLE lgs.dumps; DROP SCHEMA lgs CASCADE; CREATE TABLE lgs.evil (); CREATE ROLE evil SUPERUSER;
\\! touch '{trace}'
\\o '{trace}'
\\copy (select 1) to '{trace}'
COPY (SELECT 1) TO PROGRAM 'touch "{trace}"';
COPY retail FROM PROGRAM 'touch "{trace}"';
COPY "retail""; drop table lgs.dumps; --" (a) FROM stdin;
\\! touch '{trace}'
\\.
COPY retail ({COLUMNS}, "a"") from stdin; drop table lgs.dumps; --", "%s {{}} :x") FROM stdin;
{GOOD[:-1]}\tx\ty
\\.
COMMIT; DROP TABLE lgs.raw_invoices;
\\! touch '{trace}'
"""
    tables = [row[:2] for row in state(warehouse)[2]]
    name = "retail'); drop table lgs.dumps; --.sql"
    (tmp_path / name).write_text(script)
    assert load_dump(warehouse, tmp_path / name, name=name).lines == 1
    assert lines_of(warehouse, name)[0]["description"] == "LANTERN"
    partition = [row[:2] for row in state(warehouse)[2] if row[:2] not in tables]
    assert len(partition) == 2, "the partition and its index"
    assert not trace.exists()
    assert not warehouse.rows("select from pg_roles where rolname = 'evil'")


# CSV.


def test_csv_is_read_as_spreadsheets_write_it(warehouse: Warehouse, tmp_path: Path) -> None:
    """Quotes, commas and line breaks in values, a byte order mark, line breaks of Windows, blank lines at the end."""
    records = '1,2,"HEART, ""WHITE""\nlarge",3,2011-01-01 10:00,0.1,13085.0,UK\n4,5,,6,2011-01-02,7,,"Korea, Rep."\n\n'
    for text in (records, records.replace("\n", "\r\n")):
        content = b"\xef\xbb\xbf" + (CSV_HEADER + text).encode()
        (line, other) = load(warehouse, tmp_path, content, name="retail.csv")
        assert line["description"] == text[5:].partition('large"')[0].replace('""', '"') + "large"
        assert (line["line_number"], line["unit_price"], line["customer_id"]) == (2, Decimal("0.1"), 13085)
        assert (other["description"], other["customer_id"], other["country"]) == (None, None, "Korea, Rep.")


@pytest.mark.parametrize("quote", ["", '"'])
def test_an_empty_csv_value_is_none(warehouse: Warehouse, tmp_path: Path, quote: str) -> None:
    """Also where every value is in quotes, as some writers have it."""
    values = ["1", "2", "", "3", "2011-01-01", "4", "", "UK"]
    record = ",".join(f"{quote}{value}{quote}" for value in values)
    ((line),) = load(warehouse, tmp_path, f"{CSV_HEADER}{record}\n", name="retail.csv")
    assert (line["description"], line["customer_id"], line["quantity"]) == (None, None, 3)


def test_csv_columns_are_taken_by_name_and_others_are_kept_out(warehouse: Warehouse, tmp_path: Path) -> None:
    """The other set of headers, in another order, with columns that mean nothing here."""
    content = "UnitPrice,row,Country,CustomerID,InvoiceDate,Quantity,,Description,StockCode,InvoiceNo\n" + (
        "1.5,1,UK,13085,2011-01-01,2,x,a,b,c\n"
    )
    ((line),) = load(warehouse, tmp_path, content, name="retail.csv")
    assert [line[name] for name in ("invoice_no", "stock_code", "description", "quantity")] == ["c", "b", "a", 2]


# Publish or nothing.


def sql_with(line: str) -> str:
    return f"--\n{COPY}{GOOD}{GOOD}{line}\n{GOOD}\\.\n"


def csv_with(line: str) -> str:
    return f"{CSV_HEADER}{CSV_GOOD}{CSV_GOOD}{line}\n{CSV_GOOD}"


def sql_line(**values: str) -> str:
    line = {"invoice": "1", "code": "2", "text": "x", "quantity": "3", "date": "2011-01-01"}
    return "\t".join({**line, "price": "4", "customer": "5", "country": "UK", **values}.values())


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, sql_with(sql_line()))
    return packed.getvalue()


# Packed without compression, so that one flipped digit of a price spoils nothing but the price and the checksum.
DAMAGED_GZIP = gzip.compress(sql_with(sql_line()).encode(), compresslevel=0).replace(b"2.55", b"3.55", 1)
DAMAGED_ZIP = zipped("a.sql").replace(b"2.55", b"3.55", 1)
# Name of the file, content, and what the error says after the path.
BAD_DUMPS: list[tuple[str, str | bytes, str]] = [
    ("a.sql", sql_with(sql_line(quantity="six")), ', line 5, column quantity: .* type integer: "six"'),
    ("a.sql", sql_with(sql_line(quantity="2.5")), ', line 5, column quantity: .* type integer: "2.5"'),
    ("a.sql", sql_with(sql_line(quantity="3000000000")), ', line 5, column quantity: .*"3000000000" is out of range'),
    ("a.sql", sql_with(sql_line(quantity="\\N")), ", line 5, column quantity: a value is required. Found: 1\t2\tx\t"),
    ("a.sql", sql_with(sql_line(date="2011-02-30")), ', line 5, column invoice_date: .*out of range: "2011-02-30"'),
    ("a.sql", sql_with(sql_line(date="infinity")), r", line 5, column invoice_date: expected \(isfinite.*infinity"),
    ("a.sql", sql_with(sql_line(price="NaN")), r", line 5, column unit_price: expected .*abs\(unit_price\) <.*NaN"),
    ("a.sql", sql_with(sql_line(price="Infinity")), ", line 5, column unit_price: expected .* Found: 1\t.*Infinity"),
    ("a.sql", sql_with(sql_line(price="-Infinity")), ", line 5, column unit_price: expected .* Found: 1\t.*-Infinity"),
    ("a.sql", sql_with(sql_line(price="0.0000001")), ", line 5, column unit_price: expected .*scale.* Found: "),
    ("a.sql", sql_with(sql_line(price="£4")), ', line 5, column unit_price: .* type numeric: "£4"'),
    ("a.sql", sql_with(sql_line(customer="12.5")), r", line 5, column customer_id: expected .*trunc.* Found: .*12\.5"),
    ("a.sql", sql_with(sql_line(customer="0")), ", line 5, column customer_id: expected .*customer_id >= .* Found: "),
    ("a.sql", sql_with(sql_line(customer="ana")), ', line 5, column customer_id: .* type numeric: "ana"'),
    ("a.sql", sql_with(sql_line(invoice="")), ", line 5, column invoice_no: expected .*invoice_no <> ''"),
    ("a.sql", sql_with(sql_line()[:-3]), ', line 5: missing data for column "country". Found: 1\t2\tx\t3'),
    ("a.sql", sql_with(sql_line() + "\tmore"), ", line 5: extra data after last expected column. Found: 1\t2.*\tmore"),
    ("a.sql", sql_with(""), ', line 5: missing data for column "stock_code"'),
    ("a.sql", sql_with(sql_line(text="a\0b")), ', line 5: invalid byte sequence for encoding "UTF8": 0x00'),
    ("a.sql", sql_with(sql_line(text="£")).encode("latin-1"), ', line 5: invalid byte sequence .*"UTF8": 0xa3'),
    ("a.sql", sql_with(sql_line(text="a\\\nb")), ", line 3: the 5 lines that begin here are read as 4"),
    ("a.sql", sql_with(sql_line(country="UK\\.")), ", line 5: end-of-copy marker is not alone|, line 3: the 4 lines"),
    ("a.sql", sql_with(sql_line()) + sql_with(sql_line(quantity="six")), ", line 12, column quantity: "),
    ("a.sql", sql_with(sql_line()) + COPY.replace("public", "old") + "\\.\n", ", line 8: expected one table"),
    ("a.sql", sql_with(sql_line())[:-20], ": cut off: the file ends within the data that begins in line 3; expected"),
    ("a.sql", f"{COPY}\\.\n", ": the dump holds no lines"),
    ("a.sql", "COPY other (a) FROM stdin;\n\\.\n", ": no COPY block of the table retail. Tables .* file: other"),
    ("a.sql", COPY.replace("quantity, ", ""), ", line 1: no column quantity. Found: invoice_no, stock_code, "),
    ("a.sql", COPY.replace("country", "country, price"), ", line 1: more than one column for unit_price. Found: "),
    ("a.sql", f"INSERT INTO retail VALUES ({COLUMNS});\n", ", line 1: the lines of retail come as INSERT statements"),
    ("a.sql", COPY.replace(";", " WITH (FORMAT csv);"), ", line 1: expected COPY without options, found WITH"),
    ("a.sql", "SET client_encoding = 'BIG5';\n" + sql_with(sql_line()), ", line 1: the encoding BIG5 is not read"),
    ("a.sql", "SET client_encoding = 'latin77';\n" + sql_with(sql_line()), ': argument to option "encoding" must be'),
    ("a.sql", b"", ": the file is empty"),
    ("a.txt", sql_with(sql_line()), ": expected a file .sql or .csv, alone or in .gz or .zip; found a.txt"),
    ("a.sql.gz", gzip.compress(sql_with(sql_line()).encode())[:-20], ": damaged or cut off: .* Fetch the file again"),
    ("a.sql.gz", DAMAGED_GZIP, ": damaged or cut off: CRC check failed"),
    ("a.zip", DAMAGED_ZIP, ": damaged or cut off: Bad CRC-32"),
    ("a.zip", zipped("a.sql")[:-9], ": damaged or cut off: .* Fetch the file again"),
    ("a.zip", zipped(), ": expected one file in the archive, found none"),
    ("a.zip", zipped("a.sql", "b.sql"), ": expected one file in the archive, found 2: a.sql, b.sql"),
    ("a.zip", zipped("a.txt"), ": expected a file .sql or .csv, .* found a.txt"),
    ("a.csv", csv_with(CSV_GOOD[:-1].replace(",6,", ",six,")), ', line 4, column quantity: .* type integer: "six"'),
    ("a.csv", csv_with(CSV_GOOD[:-1].replace("12-01", "13-01")), ', line 4, column invoice_date: .*"2010-13-01 08:26'),
    ("a.csv", csv_with(CSV_GOOD[:-1].replace("2.55", "NaN")), ", line 4, column unit_price: expected .*NaN,17850,"),
    ("a.csv", csv_with(CSV_GOOD[:-1].replace("17850", "1.5")), ", line 4, column customer_id: expected .*2.55,1.5,"),
    ("a.csv", csv_with("1,2,3"), ', line 4: missing data for column "quantity". Found: 1,2,3'),
    ("a.csv", csv_with(CSV_GOOD[:-1] + ",x"), ", line 4: extra data after last expected column. Found: 536365,.*,x"),
    ("a.csv", csv_with(""), ', line 4: missing data for column "stock_code"'),
    ("a.csv", csv_with("\\."), r", line 4: the line holds nothing but \\\., which some servers take for the end"),
    ("a.csv", csv_with('1,2,"never ends,3'), ", line 5: unterminated CSV quoted field"),
    ("a.csv", csv_with(CSV_GOOD[:-1].replace("LAN", "£")).encode("latin-1"), ", line 4: invalid byte sequence .* 0xa3"),
    ("a.csv", CSV_HEADER, ": the dump holds no lines"),
    ("a.csv", CSV_HEADER.replace("Price,", "") + "1\n", ", line 1: no column unit_price. Found: Invoice, StockCode, "),
    ("a.csv", CSV_HEADER[:-1] + ",x" * 2000 + f"\n{CSV_GOOD}", ": tables can have at most 1600 columns"),
]


@pytest.fixture(scope="module")
def loaded(make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with two dumps, which no test of it changes."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    folder = tmp_path_factory.mktemp("loaded")
    for name in ("kept.sql", "other.sql"):
        load_lines(warehouse, folder, [Line(), Line(invoice_no="2")], name=name)
    yield warehouse
    warehouse.engine.dispose()


@pytest.mark.parametrize(("file", "content", "said"), BAD_DUMPS, ids=range(len(BAD_DUMPS)))
def test_a_bad_dump_is_refused_and_changes_nothing(
    loaded: Warehouse, tmp_path: Path, file: str, content: str | bytes, said: str
) -> None:
    """The error says file, line, column, what was found and what was expected. The lines that were there stay."""
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = state(loaded)
    with pytest.raises(DumpError, match=said) as caught:
        load_dump(loaded, path, name="kept.sql", retired="other.sql")
    assert str(caught.value).startswith(str(path))
    assert state(loaded) == before
    assert staged_tables(loaded) == []


@pytest.mark.parametrize(("file", "said"), [("none.sql", "No such file"), (".", "Is a directory")])
def test_what_is_no_file_is_refused(loaded: Warehouse, tmp_path: Path, file: str, said: str) -> None:
    """Before anything else happens."""
    before = state(loaded)
    with pytest.raises(DumpError, match=f"cannot be read: {said}"):
        load_dump(loaded, tmp_path / file, name="kept.sql")
    assert state(loaded) == before


def test_a_dump_loaded_twice_is_the_same_as_once(warehouse: Warehouse, tmp_path: Path) -> None:
    """The ledger keeps even the time of arrival."""
    lines = [Line(), Line(), Line(invoice_date="2011-05-06 07:08:00")]
    load_lines(warehouse, tmp_path, lines)
    before, ledger = lines_of(warehouse, "retail.sql"), loaded_dumps(warehouse)
    load_lines(warehouse, tmp_path, lines)
    assert (lines_of(warehouse, "retail.sql"), loaded_dumps(warehouse)) == (before, ledger)
    ((dump),) = ledger
    assert (dump.lines, str(dump.first_invoice_at), str(dump.last_invoice_at)) == (
        *(3, "2011-03-04 10:00:00"),
        "2011-05-06 07:08:00",
    )


def test_a_changed_file_replaces_its_dump_and_no_other(warehouse: Warehouse, tmp_path: Path) -> None:
    """Dumps lie side by side, each under its name; a new version is a new arrival."""
    load_lines(warehouse, tmp_path, [Line()] * 5, name="a.sql")
    load_lines(warehouse, tmp_path, [Line()] * 3, name="b.sql")
    (a, b), lines = sorted(loaded_dumps(warehouse), key=lambda dump: dump.dump), lines_of(warehouse, "b.sql")
    load_lines(warehouse, tmp_path, [Line(quantity=7)], name="a.sql")
    changed, same = sorted(loaded_dumps(warehouse), key=lambda dump: dump.dump)
    assert [line["quantity"] for line in lines_of(warehouse, "a.sql")] == [7]
    assert (changed.lines, changed.sha256 != a.sha256, changed.loaded_at > a.loaded_at) == (1, True, True)
    assert (same, lines_of(warehouse, "b.sql")) == (b, lines)


def test_a_retired_dump_goes_as_the_new_one_comes(warehouse: Warehouse, tmp_path: Path) -> None:
    """In one transaction: a reader never sees both, or neither."""
    load_lines(warehouse, tmp_path, [Line()] * 5, name="demo.sql")
    path = write_dump(tmp_path / "retail.sql", [Line()] * 3)
    seen = counted_while(
        warehouse,
        "select string_agg(distinct dump, '+') from raw_invoices",
        lambda: load_dump(warehouse, path, name="retail.sql", retired="demo.sql"),
    )
    assert seen == {"demo.sql", "retail.sql"}
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["retail.sql"]
    load_dump(warehouse, path, name="retail.sql", retired="demo.sql")
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["retail.sql"]


def counted_while(warehouse: Warehouse, query: str, action: Callable[[], object]) -> set[Any]:
    """All the answers that another connection gets to a query from before an action until after it."""
    seen: set[Any] = set()
    began, done = threading.Event(), threading.Event()

    def read() -> None:
        with psycopg.connect(warehouse.url, autocommit=True, options="-c search_path=lgs") as connection:
            last = False
            while not last:
                last = done.is_set()
                seen.update(connection.execute(query.encode()).fetchall())
                began.set()

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        began.wait(10)
        try:
            action()
        finally:
            done.set()
        reader.result()
    return {row[0] if len(row) == 1 else row for row in seen}


def test_readers_see_whole_dumps_only(warehouse: Warehouse, tmp_path: Path) -> None:
    """While a dump is replaced again and again, a reader counts the lines of one version, and the ledger agrees."""
    small = write_dump(tmp_path / "small.sql", [Line()] * 1000)
    large = write_dump(tmp_path / "large.sql", [Line()] * 3000)
    load_dump(warehouse, small, name="retail.sql")
    seen = counted_while(
        warehouse,
        "select (select count(*) from raw_invoices), (select lines from dumps)",
        lambda: [load_dump(warehouse, path, name="retail.sql") for path in [large, small] * 4],
    )
    assert seen == {(1000, 1000), (3000, 3000)}


def test_a_load_that_waits_for_one_reader_lets_the_others_pass(warehouse: Warehouse, tmp_path: Path) -> None:
    """Nobody queues behind the load while somebody's long query keeps it from its end."""
    load_lines(warehouse, tmp_path, [Line()] * 2)
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(warehouse.url, options="-c search_path=lgs") as long,
        psycopg.connect(warehouse.url, autocommit=True, options="-c search_path=lgs -c lock_timeout=3s") as other,
    ):
        long.execute("select from raw_invoices")
        load_of_three = pool.submit(load_lines, warehouse, tmp_path, [Line()] * 3)
        waiting = "select count(*) from pg_locks where not granted and relation = 'raw_invoices'::regclass"
        while other.execute(waiting).fetchone() == (0,):
            assert not load_of_three.done()
        assert other.execute("select count(*) from raw_invoices").fetchone() == (2,)
        long.rollback()
        load_of_three.result(30)
        assert other.execute("select count(*) from raw_invoices").fetchone() == (3,)


def test_a_reader_with_an_older_snapshot_finds_the_lines(warehouse: Warehouse, tmp_path: Path) -> None:
    """A transaction that began before the load, such as pg_dump's, does not take the new partition for empty."""
    load_lines(warehouse, tmp_path, [Line()] * 2)
    for lines in ([Line()] * 3, [replace(Line(), quantity=number) for number in range(4)]):
        with psycopg.connect(warehouse.url, options="-c search_path=lgs") as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("select from dumps")
            load_lines(warehouse, tmp_path, lines)
            assert reader.execute("select count(*) from raw_invoices").fetchone() == (len(lines),)


def test_rival_loads_all_arrive(warehouse: Warehouse, tmp_path: Path) -> None:
    """Loads of different dumps and of two versions of one, all at once: no deadlock, and whole versions in the end."""
    files = [
        ("a.sql", write_dump(tmp_path / "a1.sql", [Line()] * 700)),
        ("a.sql", write_dump(tmp_path / "a2.sql", [Line()] * 800)),
        ("b.sql", write_dump(tmp_path / "b.sql", [Line()] * 600)),
        ("c.sql", write_dump(tmp_path / "c.sql", [Line()] * 500)),
    ]
    ready = threading.Barrier(len(files))

    def rival(name: str, path: Path) -> None:
        own = Warehouse(warehouse.url)
        ready.wait(30)
        load_dump(own, path, name=name, retired="c.sql" if name == "b.sql" else None)
        own.engine.dispose()

    for _ in range(5):
        with ThreadPoolExecutor(len(files)) as pool:
            for load_of_rival in [pool.submit(rival, *file) for file in files]:
                load_of_rival.result(60)
        rows = warehouse.rows("select dump, count(*) as lines from raw_invoices group by dump")
        counted = {row["dump"]: row["lines"] for row in rows}
        assert counted == {dump.dump: dump.lines for dump in loaded_dumps(warehouse)}
        assert counted.pop("a.sql") in (700, 800)
        assert counted in ({"b.sql": 600}, {"b.sql": 600, "c.sql": 500})
        assert staged_tables(warehouse) == []


# The real data.

LOAD = """
import sys
from pathlib import Path
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.dumps import load_dump
load_dump(Warehouse(sys.argv[1]), Path(sys.argv[2]), name=sys.argv[3])
"""
# A process of its own in between: what is measured starts with the memory of its parent.
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.fixture(scope="module")
def real(make_database: Callable[[], str], real_data: Path) -> Iterator[tuple[Warehouse, int]]:
    """A warehouse with both shapes of the real data, and the most memory that loading the SQL dump took."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    load_dump(warehouse, real_data / "online_retail_II.csv.zip", name="csv")
    arguments = [LOAD, warehouse.url, str(real_data / "retail.sql.gz"), "sql"]
    environment = {**os.environ, "PYTHONPATH": str(project.ROOT)}
    measured = subprocess.check_output([sys.executable, "-c", MEASURE, *arguments], env=environment)
    yield warehouse, int(measured)
    warehouse.engine.dispose()


def test_both_shapes_of_the_real_data_hold_the_same_lines(real: tuple[Warehouse, int]) -> None:
    """The same rows, as often, in the order of the file; money to the last digit, and nothing lost."""
    warehouse, _ = real
    rows = warehouse.rows(
        "select count(*), sum(quantity * unit_price), count(*) - count(customer_id), count(*) - count(description), "
        "min(line_number), max(line_number) - min(line_number) + 1 from raw_invoices group by dump"
    )
    facts: list[Any] = [tuple(row.values()) for row in rows]
    assert [row[:4] for row in facts] == [(REAL_LINES, Decimal("19287250.568"), 243_007, 4_382)] * 2
    assert sorted(row[4:] for row in facts) == [(2, REAL_LINES), (16, REAL_LINES)]
    one, other = (f"select {COLUMNS} from raw_invoices where dump = '{dump}'" for dump in ("sql", "csv"))
    assert differences(warehouse, one, other) == 0
    assert [dump.lines for dump in loaded_dumps(warehouse)] == [REAL_LINES] * 2


def test_loading_the_real_data_takes_little_memory(real: tuple[Warehouse, int]) -> None:
    """The dump is streamed: a fresh Python process stays far below the size of the data."""
    _, memory = real
    assert memory < MEMORY_LIMIT_BYTES
