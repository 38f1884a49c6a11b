"""Lines come out of another database exactly, as whole invoices, without a change there and in bounded memory."""

import gc
import gzip
import random
import struct
import subprocess
import sys
import time
import traceback
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import mssql

from lgs_assets.errors import DumpError, LgsError, UnavailableError
from lgs_assets.sources.database import dump_table, invoice_columns, lines_query
from lgs_assets.sources.missing import is_missing
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.builders import Line, MakeDatabase
from lgs_assets_tests.sources.mariadb import MariaDB
from lgs_assets_tests.sources.reading import read

PASSWORD = "Tr0ub4dor"
STRANGE_TEXT = [
    "",
    " ",
    "\\",
    "\\N",
    "\\.",
    "a\tb\nc\rd",
    "\\t",
    "£ é 😀",
    " \x0b\x0c\x08\x7f ",
    "'\"`;--",
    "%s :x {0}",
]
TEXT = st.one_of(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
                 st.sampled_from(STRANGE_TEXT))  # fmt: skip
MEMORY_SLACK_BYTES = 12 << 20


def dumped(url: str, path: Path, *, table: str = "retail", since: datetime | None = None, seconds: int = 900) -> bytes:
    """The script that a pull writes."""
    dump_table(url, table, path, since=since, timeout_seconds=seconds)
    return gzip.decompress(path.read_bytes())


def rows_of(script: bytes) -> list[list[str]]:
    """The fields of its lines, as they are written."""
    block = script.split(b"FROM stdin;\n")[1].removesuffix(b"\\.\n")
    return [line.split("\t") for line in block.decode().split("\n")[:-1]]


def test_the_dump_has_the_shape_of_pg_dump(shop: Shop, tmp_path: Path) -> None:
    """One COPY block of the canonical columns, whatever their names, types and neighbours are in the table."""
    is_postgres = shop.kind == "postgresql"
    statements = [
        'create table sales (place point, secret bytea, "Customer ID" numeric(10, 2), country varchar(60), '
        '"InvoiceNo" char(12), "Price" numeric(10, 3), "stockCode" integer, description text, quantity bigint, '
        '"Invoice Date" {moment})',
        "insert into sales values "
        "(null, 'x', 13085.00, 'EIRE', 'C489449', 2.100, 22041, null, -12, '2009-12-01 07:45:00'), "
        "(null, null, null, 'Other, \\ ', '489434', 6.955, 85123, ' CAT  BOWL ', 7, '2009-12-01 07:45:00.25')",
    ]
    for statement in statements:
        in_mariadb = statement.replace('"', "`").replace("\\", "\\\\").replace("bytea", "blob")
        shop.execute(statement if is_postgres else in_mariadb)
    assert dumped(shop.url, tmp_path / "x.gz", table="sales").decode() == (
        "-- Invoice lines, pulled by lgs from another database.\n"
        "SET client_encoding = 'UTF8';\n"
        "SET standard_conforming_strings = on;\n\n"
        "COPY public.retail (invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, "
        "country) FROM stdin;\n"
        "C489449\t22041\t\\N\t-12\t2009-12-01 07:45:00\t2.100\t13085\tEIRE\n"
        "489434\t85123\t CAT  BOWL \t7\t2009-12-01 07:45:00.250000\t6.955\t\\N\tOther, \\\\ \n"
        "\\.\n"
    )


def test_a_table_can_be_in_a_schema(shop: Shop, tmp_path: Path) -> None:
    """`schema.table`, which in MariaDB is another database."""
    shop.make_table()
    shop.sell(Line())
    schema = "public" if shop.kind == "postgresql" else sa.make_url(shop.url).database
    assert len(rows_of(dumped(shop.url, tmp_path / "x.gz", table=f"{schema}.retail"))) == 1


def test_the_same_lines_give_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    """Whatever their order in the table, and whenever they are pulled."""
    lines = [Line(str(i % 3), description=text, quantity=q) for q in (1, 2) for i, text in enumerate((None, "b", "c"))]
    shop.make_table()
    files = []
    for moment in range(3):
        shop.execute("delete from retail")
        shop.sell(*random.Random(moment).sample(lines, len(lines)))
        dumped(shop.url, path := tmp_path / f"{moment}.gz")
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]


# Values.


@pytest.mark.parametrize(
    ("price", "texts"),
    [
        ("{single}", ["0", "0.01", "2.55", "38970.12", "-11062.06", "0.0000001", "123456.7", "16777216", "0.001"]),
        ("{double}", ["0", "0.01", "2.55", "38970.12", "-11062.06", "0.0000001", "123456.789012", "99999999.99"]),
        ("numeric(20, 7)", ["0.0100000", "2.5500000", "-11062.0600000", "9999999999999.9999999", "0.0000001"]),
    ],
)
def test_prices_are_exact(shop: Shop, tmp_path: Path, price: str, texts: list[str]) -> None:
    """A decimal as it is; of a binary float the number that was once written into it, of four bytes as of eight."""
    shop.make_table(price=price)
    shop.sell(*(Line(str(i), unit_price=text) for i, text in enumerate(texts)))
    assert [row[5] for row in rows_of(dumped(shop.url, tmp_path / "x.gz"))] == texts


def test_reals_are_those_of_pg_dump(make_database: MakeDatabase, tmp_path: Path) -> None:
    """Any real gives a number that reads as it again; where whole numbers fit, the one that PostgreSQL writes."""
    shop = Shop(make_database())
    shop.make_table()
    bits = random.Random(7)
    reals = [struct.unpack("f", struct.pack("I", bits.getrandbits(31)))[0] for _ in range(2_000)]
    reals = [real for real in reals if real < 3e38] + [bits.randrange(10**7) / 100 for _ in range(2_000)]  # no NaN
    shop.sell(*(Line(str(i), unit_price=str(real)) for i, real in enumerate(reals)))
    with shop.connection() as connection:
        rows = connection.exec_driver_sql("select invoice_no, unit_price::text from retail").all()
    written: dict[str, str] = {row[0]: row[1] for row in rows}
    found = {row[0]: row[5] for row in rows_of(dumped(shop.url, tmp_path / "x.gz"))}
    assert {i: np.float32(text) for i, text in found.items()} == {i: np.float32(text) for i, text in written.items()}
    below = {i: Decimal(text) for i, text in written.items() if float(text) < 1 << 24}
    assert {i: Decimal(found[i]) for i in below} == below


@pytest.mark.parametrize("customer", ["{single}", "{double}", "integer", "numeric(10, 2)", "varchar(10)"])
def test_a_customer_is_a_whole_number(shop: Shop, tmp_path: Path, customer: str) -> None:
    """Whatever the type of its column, and NULL where there is none."""
    shop.make_table(customer=customer)
    shop.sell(Line("1", customer_id=13085), Line("2", customer_id=1678723), Line("3", customer_id=None))
    assert [row[6] for row in rows_of(dumped(shop.url, tmp_path / "x.gz"))] == ["13085", "1678723", "\\N"]


def test_blanks_that_fill_a_column_are_none_of_the_text(shop: Shop, tmp_path: Path) -> None:
    """char(20) pads what is in it; an invoice number with blanks would be another invoice. Real blanks stay."""
    shop.make_table()
    kind = "alter column invoice_no type" if shop.kind == "postgresql" else "modify invoice_no"
    shop.execute(f"alter table retail {kind} char(20)")
    shop.sell(Line("C500001", description=" TWO  BLANKS "))
    assert rows_of(dumped(shop.url, tmp_path / "x.gz"))[0][:3:2] == ["C500001", " TWO  BLANKS "]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXT, min_size=1, max_size=20))
def test_any_text_arrives_as_it_is(shop: Shop, warehouse: Warehouse, tmp_path: Path, texts: list[str]) -> None:
    """From the table through the dump and the loader into raw_invoices, with everything that is special to COPY."""
    shop.execute("drop table if exists retail")
    shop.make_table()
    shop.sell(*(Line(f"{i:03}", description=text) for i, text in enumerate([*STRANGE_TEXT, *texts])))
    dumped(shop.url, path := tmp_path / "texts.sql.gz")
    load_dump(warehouse, DumpFile(path, path.name))
    arrived = warehouse.rows("select description from raw_invoices order by invoice_no")
    assert [row.description for row in arrived] == [
        None if is_missing(text) else text for text in [*STRANGE_TEXT, *texts]
    ]


# Which lines.


def test_of_an_invoice_all_lines_come_or_none(shop: Shop, tmp_path: Path) -> None:
    """One line since then brings those of long ago; an invoice without one stays out; midnight itself is since."""
    shop.make_table()
    shop.sell(
        Line("1", invoice_date="2011-03-01 10:00:00"),
        Line("2", invoice_date="2011-03-01 10:00:00"),
        Line("2", invoice_date="2011-03-05 10:00:00"),
        Line("3", invoice_date="2011-03-04 00:00:00"),
        Line("4", invoice_date="2011-03-03 23:59:59"),
    )
    rows = rows_of(dumped(shop.url, tmp_path / "x.gz", since=datetime(2011, 3, 4)))
    assert sorted((row[0], row[4][:10]) for row in rows) == [
        ("2", "2011-03-01"),
        ("2", "2011-03-05"),
        ("3", "2011-03-04"),
    ]


def test_sql_server_is_asked_in_its_own_words() -> None:
    """No server of that kind runs here: what it would be sent has its quotes, its types, and values apart."""
    columns = ["Invoice No", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
    types: dict[str, Any] = {"Price": mssql.REAL(), "Customer ID": mssql.FLOAT(), "InvoiceDate": mssql.DATETIME2()}
    table = sa.table(
        "Retail Lines", *(sa.column(name, types.get(name, mssql.NVARCHAR(50))) for name in columns), schema="shop.dbo"
    )
    query = lines_query(invoice_columns(table, where=""), since=datetime(2011, 12, 6))
    compiled = query.compile(dialect=mssql.dialect())
    assert " ".join(str(compiled).split()) == (
        "SELECT shop.dbo.[Retail Lines].[Invoice No] AS invoice_no, shop.dbo.[Retail Lines].[StockCode] AS stock_code, "
        "shop.dbo.[Retail Lines].[Description] AS description, shop.dbo.[Retail Lines].[Quantity] AS quantity, "
        "shop.dbo.[Retail Lines].[InvoiceDate] AS invoice_date, "
        "CAST(shop.dbo.[Retail Lines].[Price] AS DOUBLE PRECISION) AS unit_price, "
        "CAST(shop.dbo.[Retail Lines].[Customer ID] AS DOUBLE PRECISION) AS customer_id, "
        "shop.dbo.[Retail Lines].[Country] AS country "
        "FROM shop.dbo.[Retail Lines] WHERE shop.dbo.[Retail Lines].[Invoice No] IN "
        "(SELECT recent.[Invoice No] FROM shop.dbo.[Retail Lines] AS recent WHERE recent.[InvoiceDate] >= "
        ":InvoiceDate_1) ORDER BY invoice_date, invoice_no, stock_code, description, quantity, unit_price, "
        "customer_id, country"
    )
    assert compiled.params == {"InvoiceDate_1": datetime(2011, 12, 6)}


# What a table cannot be.


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("drop table retail", "there is no such table"),
        ("alter table retail drop column country", "no column country. Found: invoice_no, stock_code"),
        ("alter table retail add column price integer", "more than one column for unit_price"),
    ],
)
def test_a_table_of_something_else_is_refused(shop: Shop, tmp_path: Path, change: str, reason: str) -> None:
    """With the table, where it is and what it lacks."""
    shop.make_table()
    shop.execute(change)
    with pytest.raises(DumpError, match=f"Table retail of {shop.kind}[+].*: {reason}"):
        dumped(shop.url, tmp_path / "x.gz")


@pytest.mark.parametrize(
    ("column", "kind", "value", "reason"),
    [
        ("invoice_date", "timestamptz", "'2011-03-04 10:00+00'", "expected timestamps without a time zone.*TIMESTAMP"),
        ("invoice_date", "text", "'2011-03-04'", "expected timestamps without a time zone.*TEXT"),
        ("description", "bytea", "'x'", "column description: expected text, a number or a timestamp; found b'x'"),
        ("country", "timestamptz", "'2011-03-04 10:00+00'", "column country: expected text"),
    ],
)
def test_what_has_no_plain_text_is_refused(
    make_database: MakeDatabase, tmp_path: Path, column: str, kind: str, value: str, reason: str
) -> None:
    """Rather than written in some way that nobody chose."""
    shop = Shop(make_database())
    shop.make_table()
    shop.execute(f"alter table retail alter column {column} type {kind} using null")
    shop.execute(f"insert into retail ({column}) values ({value})")
    with pytest.raises(DumpError, match=reason):
        dumped(shop.url, tmp_path / "x.gz")


def test_a_hostile_table_name_is_just_a_name(shop: Shop, tmp_path: Path) -> None:
    """It is looked up and quoted, never run."""
    shop.make_table()
    for quote in "\"'`":
        with pytest.raises(DumpError, match="there is no such table"):
            dumped(shop.url, tmp_path / "x.gz", table=f"retail{quote}; drop table retail; --")
    assert rows_of(dumped(shop.url, tmp_path / "x.gz")) == []


def test_any_other_database_will_do(tmp_path: Path) -> None:
    """Nothing is known about it but its dialect: SQLite, whose real has eight bytes."""
    shop = Shop(f"sqlite:///{tmp_path / 'shop.db'}")
    with shop.connection() as connection:
        connection.exec_driver_sql(
            "create table retail (invoice text, stockcode text, description text, quantity integer, "
            "invoicedate datetime, price real, customerid integer, country text)"
        )
        connection.exec_driver_sql(
            "insert into retail values ('1', '2', null, 3, '2011-03-04 10:00:00.000000', 123456.789012, 13085, 'UK')"
        )
    assert rows_of(dumped(shop.url, tmp_path / "x.gz", since=datetime(2011, 3, 4))) == [
        ["1", "2", "\\N", "3", "2011-03-04 10:00:00", "123456.789012", "13085", "UK"]
    ]


@pytest.mark.parametrize(
    ("price", "written"),
    [("price_gbp", "decimal point"), ("Price (EUR)", "decimal point, in €"), ("Price $", "decimal point, in $")],
)
def test_the_dump_keeps_the_currency_that_a_column_states(tmp_path: Path, price: str, written: str) -> None:
    """Otherwise prices in euros would be loaded as pounds."""
    shop = sqlite_shop(tmp_path, (3, "2011-03-04 10:00:00", 2.5), price=price)
    dumped(shop.url, tmp_path / "x.gz")
    found = read(tmp_path / "x.gz")
    assert ([line[5] for line in found.good.values()], found.facts["numbers"]) == (["2.5"], written)


def sqlite_shop(folder: Path, *rows: tuple[Any, ...], price: str = "price") -> Shop:
    """A table whose types SQLite does not mind, with these dates, quantities and prices."""
    shop = Shop(f"sqlite:///{folder / 'shop.db'}")
    with shop.connection() as connection:
        connection.exec_driver_sql(
            "create table retail (invoice real, stockcode text, description text, quantity integer, "
            f'invoicedate datetime, "{price}" real, customerid integer, country text)'
        )
        for row in rows:
            connection.exec_driver_sql("insert into retail values (1, '2', null, ?, ?, ?, 13085, 'UK')", row)
    return shop


@pytest.mark.parametrize("date", ["02/01/2011", 1291191960, "never", b"2011-01-02", "10:00", "now"])
@pytest.mark.parametrize("since", [None, datetime(2011, 1, 1)])
def test_dates_that_sqlite_cannot_compare_are_told(tmp_path: Path, date: Any, since: datetime | None) -> None:
    """With the column and the value, rather than "nothing new"."""
    shop = sqlite_shop(tmp_path, (3, "2011-03-04 10:00:00", 2.5), (3, date, 2.5))
    with pytest.raises(DumpError, match=r"column invoicedate: expected dates as texts like .*, found ") as refused:
        dumped(shop.url, tmp_path / "x.gz", since=since)
    assert repr(date) in str(refused.value)


def test_other_values_of_another_type_are_for_the_sieve(tmp_path: Path) -> None:
    """One line is rejected with the column and the value, not the pull; a day without a time begins at midnight."""
    shop = sqlite_shop(tmp_path, (3, "2011-03-04", 2.5), ("six", "2011-03-04T10:00", 2.55), (1, "2011-02-30", "abc"))
    assert [row[:1] + row[3:6] for row in rows_of(dumped(shop.url, tmp_path / "x.gz", since=datetime(2011, 3, 4)))] == [
        ["1", "1", "2011-02-30", "abc"],
        ["1", "3", "2011-03-04 00:00:00", "2.5"],
        ["1", "six", "2011-03-04 10:00:00", "2.55"],
    ]
    found = read(tmp_path / "x.gz")
    assert [reject.column for reject in found.rejects] == ["invoice_date", "quantity"]


@pytest.mark.parametrize("since", [None, datetime(2011, 1, 1)])
@pytest.mark.parametrize("moment", ["infinity", "0044-03-15 12:00:00 BC", "20000-01-01 00:00:00"])
def test_a_value_that_the_driver_cannot_read_is_named(
    database: str, tmp_path: Path, moment: str, since: datetime | None
) -> None:
    """With its column: the driver says neither where it is, nor always what."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "create table sales (invoice text, stockcode text, description text, quantity int, "
            "date_of_sale text, invoicedate timestamp, price numeric, customerid int, country text)"
        )
        for number in range(20):
            at = moment if number == 7 else f"2011-03-{number + 1:02}"
            sale = ("7" if number in (7, 8) else str(number), "2", None, 1, at, at, 2.5, 13085, "UK")
            connection.execute("insert into sales values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", sale)
    with pytest.raises(DumpError, match=r"Table sales of .*, column invoicedate: .* cannot be read: .* view") as told:
        dumped(database, tmp_path / "x.gz", table="sales", since=since)
    assert repr(moment) in str(told.value)


def test_an_error_of_the_server_is_told_in_its_words(database: str, tmp_path: Path) -> None:
    """It ends the transaction: no column can be blamed for it any more."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "create view sales as select 'a' invoice, 'b' stockcode, 'c' description, 1 quantity, "
            "timestamp '2011-01-01' invoicedate, 1 / (n - 7) price, 13085 customerid, 'UK' country "
            "from generate_series(1, 20) n"
        )
    with pytest.raises(LgsError, match=r"Table sales of .*: division by zero") as told:
        dumped(database, tmp_path / "x.gz", table="sales")
    assert "column" not in str(told.value)


def test_a_text_that_sqlite_cannot_read_is_named(tmp_path: Path) -> None:
    """It is not taken for a lost connection, after which the pull would be tried again and again."""
    shop = sqlite_shop(tmp_path, (3, "2011-03-04", 2.5))
    with shop.connection() as connection:
        connection.exec_driver_sql("update retail set country = cast(x'ff41' as text)")
    with pytest.raises(DumpError, match=r"column country: .* cannot be read: Could not decode to UTF-8"):
        dumped(shop.url, tmp_path / "x.gz")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT PROVEN: no /dev/full here")
def test_a_full_disk_is_told(shop: Shop) -> None:
    """It is not the source's fault, and the source is not asked again."""
    shop.make_table()
    with pytest.raises(LgsError, match=r"Table retail of .*: the pull failed: .*No space left on device"):
        dumped(shop.url, Path("/dev/full"))


# A guest in somebody else's house.


def test_nothing_can_be_written_there(shop: Shop, tmp_path: Path) -> None:
    """Not even by a view that writes whenever somebody reads it: the transaction is a reader's."""
    shop.make_table()
    shop.sell(Line())
    shop.execute("create table visitors (visitor integer)")
    if shop.kind == "postgresql":
        shop.execute(
            "create function visit() returns integer language sql as 'insert into visitors values (1) returning 1'"
        )
    else:
        shop.execute("create function visit() returns integer begin insert into visitors values (1); return 1; end")
    shop.execute("create view visited as select retail.*, visit() as visits from retail where visit() = 1")
    with shop.connection() as connection:
        connection.exec_driver_sql("select * from visited")  # does write
    with pytest.raises(LgsError, match=r"(?i)read.only transaction"):
        dumped(shop.url, tmp_path / "x.gz", table="visited")
    with shop.connection() as connection:
        assert connection.exec_driver_sql("select count(*) from visitors").scalar_one() > 0


def test_a_statement_that_takes_too_long_is_given_up(shop: Shop, tmp_path: Path) -> None:
    """After the timeout, by the server, which says so. The next time would be no shorter: it is not asked again."""
    shop.make_table()
    shop.sell(Line())
    sleep = "pg_sleep(30) is null" if shop.kind == "postgresql" else "sleep(30) = 7"
    shop.execute(f"create view slow as select * from retail where not ({sleep})")
    began = time.monotonic()
    with pytest.raises(LgsError, match=r"(statement timeout|max_statement_time exceeded).*_TIMEOUT_SECONDS") as caught:
        dumped(shop.url, tmp_path / "x.gz", table="slow", seconds=1)
    assert not isinstance(caught.value, UnavailableError)
    assert time.monotonic() - began < 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of PyMySQL, on its way out
def test_a_source_that_dies_breaks_off_the_pull(shop: Shop, mariadb: MariaDB, tmp_path: Path) -> None:
    """In the middle of its lines: a backend that is ended, a server that is killed. It never looks like the end."""
    shop.make_table()
    shop.sell_many(150_000)
    told: list[int] = []

    def die(lines: int) -> None:
        told.append(lines)
        if len(told) > 1:
            return
        if shop.kind == "postgresql":
            shop.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        else:
            mariadb.kill()

    try:
        with pytest.raises(UnavailableError, match=r"terminat|Lost connection"):
            dump_table(shop.url, "retail", tmp_path / "x.gz", since=None, timeout_seconds=60, progress=die)
    finally:
        if not mariadb.is_up:
            mariadb.start()
        gc.collect()
    assert told[-1] < 150_000


def test_memory_does_not_grow_with_the_table(shop: Shop, tmp_path: Path) -> None:
    """Five times the lines are streamed by a process of the same size."""
    shop.make_table()
    peaks = []
    for lines in (40_000, 160_000):
        shop.sell_many(lines)
        script = (
            "import resource, sys, pathlib; from lgs_assets.sources.database import dump_table\n"
            "lines = dump_table(sys.argv[1], 'retail', pathlib.Path(sys.argv[2]), since=None, timeout_seconds=900)\n"
            "print(lines, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, shop.url, tmp_path / "x.gz"], capture_output=True, text=True, check=True
        )
        found, peak = map(int, done.stdout.split())
        peaks.append(peak)
    assert found == 200_000
    assert peaks[1] - peaks[0] < MEMORY_SLACK_BYTES, peaks


# The URL.


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            f"postgresql://lgs:{PASSWORD}@127.0.0.1:1/shop",
            r"postgresql\+psycopg://lgs:\*\*\*@127.0.0.1:1/shop: .*refused",
        ),
        (f"mysql://lgs:{PASSWORD}@127.0.0.1:1/shop?charset=utf8mb4", r"lgs:\*\*\*@127.0.0.1:1/shop: .*refused"),
        (f"postgresql://lgs:x@{PASSWORD}@127.0.0.1/shop", "LGS_SOURCE_URL: expected dialect://user:password@host"),
        (f"postgresql://lgs:x@y:{PASSWORD}@127.0.0.1/shop", "LGS_SOURCE_URL: expected dialect://user:password@host"),
        (f"postgresql:{PASSWORD}", "LGS_SOURCE_URL: expected dialect://user:password@host"),
        (
            f"foxpro://lgs:{PASSWORD}@127.0.0.1/shop",
            "LGS_SOURCE_URL: SQLAlchemy has no foxpro; expected one of postgresql, mysql",
        ),
    ],
)
def test_no_error_shows_the_password(tmp_path: Path, url: str, reason: str) -> None:
    """It says what is wrong, and where to correct it."""
    with pytest.raises(LgsError, match=reason) as caught:
        dumped(url, tmp_path / "x.gz")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_wrong_password_is_told_and_not_shown(shop: Shop, tmp_path: Path) -> None:
    """In the words of the server."""
    url = sa.make_url(shop.url).set(password=PASSWORD).render_as_string(hide_password=False)
    with pytest.raises(UnavailableError, match=r"authentication failed|Access denied") as caught:
        dumped(url, tmp_path / "x.gz")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("backend", "driver", "extra"), [("mssql", "pymssql", "sqlserver"), ("mysql", "pymysql", "mysql")]
)
def test_a_missing_driver_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, driver: str, extra: str
) -> None:
    """The command that installs it."""
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(LgsError, match=rf'driver {driver} is not installed: .*pip install .*"\.\[{extra}\]"'):
        dumped(f"{backend}://lgs:{PASSWORD}@127.0.0.1/shop", tmp_path / "x.gz")
