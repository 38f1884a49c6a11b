"""The loader: which lines of a dump arrive and which are kept back, what the ledger says, and what becomes of both."""

import bz2
import gzip
import lzma
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from backports import zstd

from lgs_assets.errors import DumpError, LgsError
from lgs_assets.sources import Reject
from lgs_assets.warehouse import loading as dumps
from lgs_assets.warehouse import locks
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps, rejected_lines
from lgs_assets.warehouse.loading import DumpFile, forget_dump, load_dump
from lgs_assets_tests.builders import Line, load_lines, write_dump
from lgs_assets_tests.warehouse.evidence import COLUMNS, counted_while, debris, ledger, lines_of, state

COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n"
GOOD = "536365\t85123A\tLANTERN\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom\n"
CSV_HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
CSV_GOOD = "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
BAD = Line(quantity="six")


@pytest.fixture(params=["small", "large"], autouse=True)
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small dumps share a partition, large ones have their own: nothing else tells them apart."""
    if request.param == "large":
        monkeypatch.setattr(dumps, "LARGEST_SMALL_DUMP", 0)
    return str(request.param)


def load(warehouse: Warehouse, folder: Path, content: str, *, name: str = "retail.sql") -> list[dict[str, Any]]:
    """Loads a file of that name and content, and returns its lines."""
    path = folder / name
    path.write_text(content)
    load_dump(warehouse, DumpFile(path, name))
    return lines_of(warehouse, name)


def test_a_dump_becomes_large_and_small_again(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines are in one place at a time, those of others stay, and small dumps make no partition of their own."""
    monkeypatch.setattr(dumps, "LARGEST_SMALL_DUMP", 2)
    for name in ("b.sql", "c.sql", "d.sql"):
        load_lines(warehouse, tmp_path, [Line(name)], name=name)
    partitions = "select count(*) as count from pg_inherits where inhparent = 'raw_invoices'::regclass"
    for lines, expected in ((1, 1), (3, 2), (2, 1), (4, 2)):
        load_lines(warehouse, tmp_path, [Line()] * lines, name="a.sql")
        assert len(lines_of(warehouse, "a.sql")) == lines
        assert warehouse.rows(partitions) == [{"count": expected}]
        assert debris(warehouse) == []
    for name in ("a.sql", "b.sql"):
        forget_dump(warehouse, name)
    assert [row.dump for row in warehouse.rows("select dump from raw_invoices order by 1")] == ["c.sql", "d.sql"]


# The lines.


@pytest.mark.parametrize("text", ["0.1", "1.005", "38970", "0.001", "0", "-11062.06", "1e+06", "0.000001", "2.550"])
def test_money_is_exact(warehouse: Warehouse, tmp_path: Path, text: str) -> None:
    """A price is the number that the dump writes, not the nearest float."""
    load_lines(warehouse, tmp_path, [Line(unit_price=text, quantity=3)])
    ((row),) = warehouse.rows("select unit_price, quantity * unit_price as total from raw_invoices")
    assert (row["unit_price"], row["total"]) == (Decimal(text), 3 * Decimal(text))


def test_an_empty_text_and_a_word_for_it_are_missing(warehouse: Warehouse, tmp_path: Path) -> None:
    """One rule for every format, whatever COPY's own is."""
    load_lines(warehouse, tmp_path, [Line(description=text) for text in (None, "", "N", "\\\\N")])
    assert [line["description"] for line in lines_of(warehouse, "retail.sql")] == [None, None, "N", None]


def test_columns_that_are_not_kept_never_reach_the_database(
    warehouse: Warehouse, database: str, tmp_path: Path
) -> None:
    """Not even the table's files hold their text; the ledger says which they were."""
    secret = "ana@example.org"
    script = (
        f'COPY public.retail (country, "e-mail", {COLUMNS.replace(", country", "")}) FROM stdin;\n'
        f"UK\t{secret}\t1\t2\tLANTERN\t3\t2011-01-01\t4.5\t\\N\n\\.\n"
    )
    ((line),) = load(warehouse, tmp_path, script)
    assert (line["country"], line["invoice_no"], line["description"]) == ("UK", "1", "LANTERN")
    assert ledger(warehouse)["retail.sql"].facts["columns left out"] == "e-mail"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("checkpoint")
        files = connection.execute(
            "select pg_read_binary_file(pg_relation_filepath(inhrelid)) from pg_inherits "
            "where inhparent = 'lgs.raw_invoices'::regclass"
        ).fetchall()
    assert len(files) == 1
    assert b"LANTERN" in files[0][0]
    assert secret.encode() not in files[0][0]


def test_a_line_keeps_its_number_in_the_file(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is between the lines, rejects and other tables, the number leads back to the text."""
    monkeypatch.setattr(dumps, "REJECTS_IN_MEMORY", 7)
    bad = GOOD.replace("\t6\t", "\tsix\t")[6:]
    blocks = "\n-- next\n".join(
        COPY
        + "".join(f"{block}-{line}" + (bad if line % 100 in (0, 5, 6, 7) else GOOD[6:]) for line in range(lines))
        + "\\.\nCOPY o (a) FROM stdin;\n1\n\\.\n"
        for block, lines in enumerate([3, 0, 20_000, 1, 2, 4000])
    )
    path = tmp_path / "retail.sql"
    path.write_text(f"SELECT E'\n\\n';\n{blocks}")
    written = path.read_text().split("\n")
    loaded = load_dump(warehouse, DumpFile(path, "retail.sql", reject_limit=1))
    lines, rejects = lines_of(warehouse, "retail.sql"), rejected_lines(warehouse, "retail.sql")
    assert all(written[line["line_number"] - 1].startswith(f"{line['invoice_no']}\t") for line in lines)
    assert [reject.text for reject in rejects] == [text for text in written if "\tsix\t" in text]
    assert all(written[reject.line - 1] == reject.text for reject in rejects)
    assert (loaded.lines, loaded.rejected) == (len(lines), len(rejects)) == (24_006 - len(rejects), len(rejects))
    assert debris(warehouse) == []


@pytest.mark.parametrize("characters", [1, 50_000])
def test_long_rejects_are_stored_before_there_are_many(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    """By their length: a few bad lines may be as large as a dump. Their beginnings are kept, which is said."""
    monkeypatch.setattr(dumps, "REJECTED_CHARACTERS_IN_MEMORY", characters)
    in_memory = []
    store = dumps._store_rejects

    def noted(cursor: Any, name: str, rejects: list[Reject]) -> None:
        in_memory.append(sum(len(reject.text) for reject in rejects))
        store(cursor, name, rejects)

    monkeypatch.setattr(dumps, "_store_rejects", noted)
    path = tmp_path / "retail.sql"
    path.write_text(COPY + f"{'x' * 300_000}\n{GOOD}" * 30 + "\\.\n")
    loaded = load_dump(warehouse, DumpFile(path, "retail.sql", reject_limit=1))
    rejects = rejected_lines(warehouse, "retail.sql")
    assert (loaded.lines, loaded.rejected, len(rejects)) == (30, 30, 30)
    assert {reject.text for reject in rejects} == {"x" * 10_000}
    assert all("the first 10,000 of 300,000 characters are kept" in reject.reason for reject in rejects)
    assert max(in_memory) < characters + 10_000
    assert [line["line_number"] for line in lines_of(warehouse, "retail.sql")] == [*range(3, 62, 2)]


# The lines that are no invoice lines.


def test_rejects_are_kept_and_the_good_lines_load(warehouse: Warehouse, tmp_path: Path) -> None:
    """Each with its number, its text, the column and the reason; nothing else knows of them."""
    path = tmp_path / "retail.sql"
    path.write_text(f"--\n{COPY}{GOOD * 3}1\t2\n{GOOD}{GOOD.replace('2.55', 'two')}{GOOD * 200}\\.\n")
    loaded = load_dump(warehouse, DumpFile(path, "retail.sql"))
    assert (loaded.lines, loaded.rejected) == (204, 2)
    assert rejected_lines(warehouse, "retail.sql") == [
        Reject(6, "1\t2", None, "expected 8 fields, found 2"),
        Reject(
            *(8, GOOD.replace("2.55", "two").rstrip(), "unit_price"),
            "expected a price: digits, with a point before the pence, found 'two'",
        ),
    ]
    assert {6, 8}.isdisjoint(line["line_number"] for line in lines_of(warehouse, "retail.sql"))


def test_a_reject_may_hold_anything(warehouse: Warehouse, tmp_path: Path) -> None:
    """Bytes that are not text, NUL, tabs, quotes, statements: everything is kept, legibly."""
    nasty = b"1\t2\tx\tsix\\N \0\xff\xfe'); DROP TABLE lgs.dumps; --\\.\t\t\t\t"
    path = tmp_path / "retail.sql"
    path.write_bytes((COPY + GOOD.replace("LANTERN", "£") * 100).encode() + nasty + b"\n\\.\n")
    load_dump(warehouse, DumpFile(path, "retail.sql"))
    ((reject),) = rejected_lines(warehouse, "retail.sql")
    assert reject.text.encode().replace(b"\\x00", b"\0").replace(b"\\xff\\xfe", b"\xff\xfe") == nasty


@pytest.mark.parametrize(
    ("good", "bad", "limit", "accepted"),
    [
        *[(99, 1, 0.01, True), (98, 1, 0.01, False), (9_999, 100, 0.01, True), (9_899, 100, 0.01, False)],
        *[(71, 29, 0.29, True), (70, 29, 0.29, False), (43, 57, 0.57, True)],  # 0.29 × 100 is less than 29 in floats
        *[(1, 0, 0, True), (1000, 1, 0, False), (1, 9, 1, True)],
    ],
)
def test_the_limit_of_rejects(
    warehouse: Warehouse, tmp_path: Path, good: int, bad: int, limit: float, accepted: bool
) -> None:
    """A dump at the limit is accepted, one above it is refused in full."""
    path = write_dump(tmp_path / "retail.sql", [Line()] * good + [BAD] * bad)
    if accepted:
        assert load_dump(warehouse, DumpFile(path, "retail.sql", reject_limit=limit)).rejected == bad
    else:
        with pytest.raises(DumpError, match=f"{bad:,} of {good + bad:,} lines cannot be read, more than"):
            load_dump(warehouse, DumpFile(path, "retail.sql", reject_limit=limit))
        assert loaded_dumps(warehouse) == []
    assert debris(warehouse) == []


def test_a_refusal_sums_up_what_is_wrong(warehouse: Warehouse, tmp_path: Path) -> None:
    """How many of how many lines, which columns are at fault how often, and the first few with their reasons."""
    lines = [Line()] * 100 + [BAD] * 4 + [Line(unit_price="NaN")] * 3 + [Line(country="UK\tmore")]
    path = write_dump(tmp_path / "retail.sql", lines)
    with pytest.raises(DumpError) as refused:
        load_dump(warehouse, DumpFile(path, "retail.sql"))
    assert str(refused.value).split("\n") == [
        f"{path}: 8 of 108 lines cannot be read, more than 1.00%. "
        "At fault: quantity 4, unit_price 3, the line as a whole 1. The first:",
        *[
            f"  line {line}, column quantity: expected a whole number from -2,147,483,648 to 2,147,483,647, found 'six'"
            for line in (102, 103, 104, 105)
        ],
        "  line 106, column unit_price: expected a value, found 'NaN'",
    ]


def test_a_corrected_dump_takes_the_place_of_the_rejects(warehouse: Warehouse, tmp_path: Path) -> None:
    """The rejects of the former version go, those of other dumps stay."""
    load_lines(warehouse, tmp_path, [Line()] * 200 + [BAD, BAD], name="a.sql")
    load_lines(warehouse, tmp_path, [Line()] * 300 + [BAD], name="b.sql")
    load_lines(warehouse, tmp_path, [Line()] * 201 + [replace(BAD, quantity="five")], name="a.sql")
    assert [(reject.line, "five" in reject.text) for reject in rejected_lines(warehouse, "a.sql")] == [(203, True)]
    load_lines(warehouse, tmp_path, [Line()] * 202, name="a.sql")
    assert (rejected_lines(warehouse, "a.sql"), len(rejected_lines(warehouse, "b.sql"))) == ([], 1)
    assert debris(warehouse) == []


# What tells a dump from another.

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "retail.sql.gz": gzip.compress,
    "again.gz": lambda content: gzip.compress(content, compresslevel=1),
    "retail.bz2": bz2.compress,
    "retail.xz": lzma.compress,
    "retail.zst": zstd.compress,
    "renamed": bytes,
}


@pytest.mark.parametrize("name", PACKED)
def test_content_that_is_there_is_not_loaded_twice(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    """Under another name, packed or not: it is recognised, and nothing changes."""
    path = write_dump(tmp_path / "retail.sql", [Line(), Line(quantity=2)])
    first = load_dump(warehouse, DumpFile(path, "retail.sql"))
    before = state(warehouse)
    (tmp_path / name).write_bytes(PACKED[name](path.read_bytes()))
    assert load_dump(warehouse, DumpFile(tmp_path / name, name)) == first
    assert state(warehouse) == before
    assert debris(warehouse) == []


def test_a_dump_that_becomes_another_gives_up_its_lines(warehouse: Warehouse, tmp_path: Path) -> None:
    """A file is replaced by one whose content came under another name: that dump stays, this one's lines go."""
    load_lines(warehouse, tmp_path, [Line()] * 2, name="a.sql")
    load_lines(warehouse, tmp_path, [Line()] * 300 + [BAD], name="b.sql")
    before = ledger(warehouse)
    (tmp_path / "b.sql").write_bytes((tmp_path / "a.sql").read_bytes())
    assert load_dump(warehouse, DumpFile(tmp_path / "b.sql", "b.sql")) == before["a.sql"]
    assert ledger(warehouse) == {"a.sql": before["a.sql"]}
    assert rejected_lines(warehouse, "b.sql") == []
    assert debris(warehouse) == []
    load_lines(warehouse, tmp_path, [Line()] * 4, name="a.sql")
    load_dump(warehouse, DumpFile(tmp_path / "b.sql", "b.sql"))
    assert {name: dump.lines for name, dump in ledger(warehouse).items()} == {"a.sql": 4, "b.sql": 2}


def test_a_dump_loaded_twice_is_the_same_as_once(warehouse: Warehouse, tmp_path: Path) -> None:
    """The ledger keeps even the time of arrival."""
    lines = [Line(), Line(), Line(invoice_date="2011-05-06 07:08:00")]
    load_lines(warehouse, tmp_path, lines)
    before, known = lines_of(warehouse, "retail.sql"), loaded_dumps(warehouse)
    load_lines(warehouse, tmp_path, lines)
    assert (lines_of(warehouse, "retail.sql"), loaded_dumps(warehouse)) == (before, known)


def test_a_vacuum_does_not_take_the_lines_for_none(warehouse: Warehouse, tmp_path: Path) -> None:
    """PostgreSQL expects as many as there are, so that it plans for them, whenever autovacuum comes by."""
    load_lines(warehouse, tmp_path, [Line(f"{number}") for number in range(500)])
    with warehouse.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum raw_invoices"))
    (expected,) = warehouse.rows(
        "select sum(reltuples) from pg_class join pg_inherits on inhrelid = pg_class.oid "
        "where inhparent = 'raw_invoices'::regclass"
    )
    assert expected.sum == 500


def test_a_changed_file_replaces_its_dump_and_no_other(warehouse: Warehouse, tmp_path: Path) -> None:
    """Dumps exist side by side, each under its name; a new version is a new arrival."""
    load_lines(warehouse, tmp_path, [Line()] * 5, name="a.sql")
    load_lines(warehouse, tmp_path, [Line()] * 3, name="b.sql")
    before, lines = ledger(warehouse), lines_of(warehouse, "b.sql")
    load_lines(warehouse, tmp_path, [Line(quantity=7)], name="a.sql")
    after = ledger(warehouse)
    assert [line["quantity"] for line in lines_of(warehouse, "a.sql")] == [7]
    assert after["a.sql"].lines == 1
    assert after["a.sql"].sha256 != before["a.sql"].sha256
    assert after["a.sql"].loaded_at > before["b.sql"].loaded_at
    assert (after["b.sql"], lines_of(warehouse, "b.sql")) == (before["b.sql"], lines)


def test_a_file_is_judged_by_the_day_of_its_arrival(warehouse: Warehouse, tmp_path: Path) -> None:
    """Read again years later, what was from the future is a reject as ever; if the file comes anew, no longer."""
    dump = write_dump(tmp_path / "retail.sql", [Line("1"), Line("2", invoice_date="2021-03-01 10:00:00")])

    def lines_of(version: str) -> int:
        return load_dump(warehouse, DumpFile(dump, dump.name, version, reject_limit=1)).lines

    lines_of("first")
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("update dumps set loaded_at = '2020-12-31 23:30+00'")
    assert [lines_of(version) for version in ("first", "first", "second", "second")] == [1, 1, 2, 2]


def test_arrivals_keep_their_order_when_the_clock_is_set_back(warehouse: Warehouse, tmp_path: Path) -> None:
    """The ledger's times order the dumps, so none is earlier than one that was there before it."""
    load_lines(warehouse, tmp_path, [Line()], name="a.sql")
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update dumps set loaded_at = '2100-01-01'"))
    load_lines(warehouse, tmp_path, [Line(quantity=2)], name="b.sql")
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["a.sql", "b.sql"]


# The ledger.


def test_the_ledger_says_what_there_is_to_know(warehouse: Warehouse, tmp_path: Path) -> None:
    """Name, content, form, size, lines, rejects, first and last invoice, when it came and by which run and reader."""
    content = (CSV_HEADER.replace("Country", "Country,Till") + CSV_GOOD.replace("\n", ",7\n") * 150).encode()
    content += CSV_GOOD.replace("2010-12-01", "2011-05-06").replace("LANTERN", "£ LANTERN").encode("cp1252")[:-1]
    content += b",7\nno line\n"
    path = tmp_path / "march.csv.gz"
    path.write_bytes(gzip.compress(content))
    ((before),) = warehouse.rows("select clock_timestamp() as now")
    loaded = load_dump(warehouse, DumpFile(path, "march.csv.gz"), run="run 1", reader="reader 1")
    assert loaded_dumps(warehouse) == [loaded]
    assert (loaded.dump, loaded.sha256) == ("march.csv.gz", sha256(content).hexdigest())
    assert (loaded.format, loaded.bytes) == ("CSV, cp1252, gzip", path.stat().st_size)
    assert (loaded.lines, loaded.rejected, loaded.run, loaded.reader) == (151, 1, "run 1", "reader 1")
    assert (str(loaded.first_invoice_at), str(loaded.last_invoice_at)) == (
        "2010-12-01 08:26:00",
        "2011-05-06 08:26:00",
    )
    assert loaded.facts == {
        "format": "CSV",
        "packing": "gzip",
        "encoding": "cp1252",
        "dates": "year first",
        "numbers": "decimal point",
        "delimiter": "comma",
        "columns": "Invoice as invoice_no, StockCode as stock_code, Description as description, Quantity as quantity, "
        "InvoiceDate as invoice_date, Price as unit_price, Customer ID as customer_id, Country as country",
        "columns left out": "Till",
    }
    assert 0 <= (loaded.loaded_at - before.now).total_seconds() < 60
    again = load_dump(warehouse, DumpFile(path, "march.csv.gz"), run="run 2", reader="reader 2")
    assert again == replace(loaded, run="run 2", reader="reader 2")


# Going away.


def test_a_forgotten_dump_leaves_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    """Its lines, its rejects and its row in the ledger go; other dumps stay; it can come again."""
    load_lines(warehouse, tmp_path, [Line()] * 3, name="kept.sql")
    before = state(warehouse)
    load_lines(warehouse, tmp_path, [Line()] * 200 + [BAD], name="gone.sql")
    forget_dump(warehouse, "gone.sql")
    assert state(warehouse) == before
    assert debris(warehouse) == []
    load_dump(warehouse, DumpFile(tmp_path / "gone.sql", "gone.sql"))
    assert {name: dump.lines for name, dump in ledger(warehouse).items()} == {"kept.sql": 3, "gone.sql": 200}


def test_only_what_is_there_can_be_forgotten(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the dumps that there are, and waits for no reader."""
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0)
    with pytest.raises(LgsError, match=r"There is no dump x\. Loaded: none"):
        forget_dump(warehouse, "x")
    load_lines(warehouse, tmp_path, [Line()])
    with psycopg.connect(warehouse.url, options="-c search_path=lgs") as reader:
        reader.execute("select from raw_invoices")
        with pytest.raises(LgsError, match=r"There is no dump x'; --\. Loaded: retail\.sql"):
            forget_dump(warehouse, "x'; --")


def test_a_retired_dump_goes_as_the_new_one_comes(warehouse: Warehouse, tmp_path: Path) -> None:
    """In one transaction: a reader never sees both, or neither."""
    load_lines(warehouse, tmp_path, [Line()] * 5, name="demo.sql")
    path = write_dump(tmp_path / "retail.sql", [Line()] * 3)
    seen = counted_while(
        warehouse,
        "select string_agg(distinct dump, '+') from raw_invoices",
        lambda: load_dump(warehouse, DumpFile(path, "retail.sql", supersedes="demo.sql")),
    )
    assert seen == {"demo.sql", "retail.sql"}
    load_dump(warehouse, DumpFile(path, "retail.sql", supersedes="demo.sql"))
    assert list(ledger(warehouse)) == ["retail.sql"]


def test_a_retired_dump_goes_though_its_content_comes_again(warehouse: Warehouse, tmp_path: Path) -> None:
    """The demo dump, loaded by its reader under a name of their own, is a dump as any other; and so is one known."""
    load_lines(warehouse, tmp_path, [Line()] * 5, name="demo.sql")
    (tmp_path / "mine.sql").write_bytes((tmp_path / "demo.sql").read_bytes())
    load_dump(warehouse, DumpFile(tmp_path / "mine.sql", "mine.sql", supersedes="demo.sql"))
    assert list(ledger(warehouse)) == ["mine.sql"]
    load_lines(warehouse, tmp_path, [Line()] * 6, name="demo.sql")
    load_dump(warehouse, DumpFile(tmp_path / "mine.sql", "yours.sql", supersedes="demo.sql"))
    assert list(ledger(warehouse)) == ["mine.sql"]
    assert debris(warehouse) == []


# Publish or nothing.


def sql_with(line: str) -> str:
    return f"--\n{COPY}{GOOD}{GOOD}{line}\n{GOOD}\\.\n"


# Content, and what the error says after the path.
BAD_DUMPS: list[tuple[str | bytes, str]] = [
    (sql_with(GOOD.replace("\t6\t", "\tsix\t")[:-1]), ": 1 of 4 lines cannot be read, more than 1.00%. At fault: "),
    (sql_with(GOOD[:-1]) + sql_with("1"), ": 1 of 8 lines cannot be read"),
    (sql_with(GOOD[:-1])[:-20], ": cut off: the file ends within the data that begins in line 3; expected a line"),
    (sql_with(GOOD[:-1]) + COPY.replace("public", "old") + "\\.\n", ", line 8: expected one table"),
    (f"{COPY}\\.\n", ": the dump holds no lines"),
    (CSV_HEADER, ": the dump holds no lines"),
    ("COPY other (a) FROM stdin;\n\\.\n", ": no data of a table retail. Tables with data in the file: other"),
    (CSV_HEADER + CSV_GOOD.replace("2010-12-01", "01/02/2010"), ": dates like 01/02/2010 08:26:00 can be read day"),
    (f"x\0,{CSV_HEADER}1,{CSV_GOOD}", ": this is not text, nor any format the platform reads: SQL, CSV"),
    (b"", ": the file is empty"),
    (gzip.compress(sql_with(GOOD[:-1]).encode() * 500)[:-40], ": damaged or cut off: .* Fetch the file again"),
    (gzip.compress(sql_with(GOOD[:-1]).encode(), 0).replace(b"2.55", b"3.55", 1), ": damaged or cut off: CRC check"),
]


@pytest.fixture(scope="module")
def loaded(make_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with two dumps, which no test of it changes."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    folder = tmp_path_factory.mktemp("loaded")
    load_lines(warehouse, folder, [Line()] * 200 + [BAD], name="kept.sql")
    load_lines(warehouse, folder, [Line(), Line(invoice_no="2")], name="other.sql")
    yield warehouse
    warehouse.engine.dispose()


@pytest.mark.parametrize(("content", "said"), BAD_DUMPS, ids=range(len(BAD_DUMPS)))
def test_a_bad_dump_is_refused_and_changes_nothing(
    loaded: Warehouse, tmp_path: Path, content: str | bytes, said: str
) -> None:
    """The error says what is wrong and where. What was there stays, down to the files that hold it."""
    path = tmp_path / "a dump"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = state(loaded)
    with pytest.raises(DumpError, match=said) as caught:
        load_dump(loaded, DumpFile(path, "kept.sql", supersedes="other.sql"))
    assert str(caught.value).startswith(str(path))
    assert state(loaded) == before
    assert debris(loaded) == []


# Readers and rivals.


def test_readers_see_whole_dumps_only(warehouse: Warehouse, tmp_path: Path) -> None:
    """While a dump is replaced again and again, a reader counts the lines of one version, and the ledger agrees."""
    small = write_dump(tmp_path / "small.sql", [Line()] * 1000 + [BAD])
    large = write_dump(tmp_path / "large.sql", [Line()] * 3000 + [BAD] * 3)
    load_dump(warehouse, DumpFile(small, "retail.sql"))
    seen = counted_while(
        warehouse,
        "select (select count(*) from raw_invoices), (select lines from dumps), (select count(*) from rejected_lines)",
        lambda: [load_dump(warehouse, DumpFile(path, "retail.sql")) for path in [large, small] * 4],
    )
    assert seen == {(1000, 1000, 1), (3000, 3000, 3)}


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


def test_a_reader_with_an_older_snapshot_finds_the_lines(warehouse: Warehouse, tmp_path: Path, size: str) -> None:
    """A transaction that began before the load, such as pg_dump's, does not take the new partition for empty.

    Of a small dump it finds the lines that were there when it began.
    """
    load_lines(warehouse, tmp_path, [Line()] * 2)
    before = 2
    for lines in ([Line()] * 3, [replace(Line(), quantity=number) for number in range(4)]):
        with psycopg.connect(warehouse.url, options="-c search_path=lgs") as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("select from dumps")
            load_lines(warehouse, tmp_path, lines)
            expected = len(lines) if size == "large" else before
            assert reader.execute("select count(*) from raw_invoices").fetchone() == (expected,)
        before = len(lines)


def test_rival_loads_all_arrive(warehouse: Warehouse, tmp_path: Path) -> None:
    """Loads of different dumps, of two versions of one and of one content twice, all at once: no deadlock, no mixture.

    In the end there are whole versions, and the content that came under two names is there once.
    """
    files = [
        ("a.sql", write_dump(tmp_path / "a1.sql", [Line()] * 700)),
        ("a.sql", write_dump(tmp_path / "a2.sql", [Line()] * 800)),
        ("b.sql", write_dump(tmp_path / "b.sql", [Line()] * 600)),
        ("c.sql", write_dump(tmp_path / "c.sql", [Line()] * 500)),
        ("c.sql", tmp_path / "c.sql"),
        ("d.sql", write_dump(tmp_path / "d.sql", [Line()] * 400)),
        ("e.sql.gz", write_dump(tmp_path / "e.sql.gz", [Line()] * 400)),
    ]
    ready = threading.Barrier(len(files))

    def rival(name: str, path: Path) -> None:
        own = Warehouse(warehouse.url)
        ready.wait(30)
        load_dump(own, DumpFile(path, name, supersedes="c.sql" if name == "b.sql" else None))
        own.engine.dispose()

    for _ in range(5):
        with ThreadPoolExecutor(len(files)) as pool:
            for load_of_rival in [pool.submit(rival, *file) for file in files]:
                load_of_rival.result(60)
        assert debris(warehouse) == []
        counted = {name: dump.lines for name, dump in ledger(warehouse).items()}
        assert counted.pop("a.sql") in (700, 800)
        assert counted.pop("c.sql", 500) == 500
        assert counted.pop("b.sql") == 600
        assert list(counted.values()) == [400]
        for name in ledger(warehouse):
            forget_dump(warehouse, name)
