"""The lake: its lines and tables are what PostgreSQL alone would hold, and no fault leaves anything else."""

import multiprocessing
import shutil
import time
import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from lgs_assets import places
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.model import tables_in
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.errors import ContractError, DumpError, LgsError
from lgs_assets.lake.parts import GRACE, Part, current
from lgs_assets.lake.tables import TABLES
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.ledger import rejected_lines
from lgs_assets.warehouse.loading import DumpFile, forget_dump, load_dump
from lgs_assets.warehouse.tables import PostgresTables, Tables
from lgs_assets.wiring.resources import tables_of
from lgs_assets_tests.builders import (
    FEW,
    MODELS,
    SOURCES,
    Line,
    MakeDatabase,
    build_tables,
    dump_file,
    write_dump,
)
from lgs_assets_tests.warehouse.evidence import COLUMNS, exact, ledger, lines_of
from lgs_assets_tests.warehouse.test_refresh import HISTORY, change

PROCESSES = multiprocessing.get_context("spawn")
PATIENCE_SECONDS = 300


@pytest.fixture
def store(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """A warehouse without any lines, and an empty lake."""
    monkeypatch.setenv("LGS_ENGINE", "duckdb")
    return tables_of(Configuration.read(), warehouse)


def load(store: Tables, folder: Path, *lines: Line, name: str = "retail.sql", written_at: str | None = None) -> None:
    """Loads the lines as a dump of that name, written at that moment."""
    store.load_dump(dump_file(folder, lines, name=name, written_at=written_at))


def files(table: str = "") -> set[Path]:
    """The files that are in the lake, whether they count or not."""
    return set(Path(Configuration.read().lake_location, table).rglob("*.parquet"))


def parts(store: Tables, table: str = "raw_invoices") -> list[Part]:
    return current(store.warehouse, [table])


def assert_same_tables(store: Tables, postgres: Warehouse) -> None:
    """Every row and column, every decimal exactly."""
    for table in TABLES:
        lake = Path(Configuration.read().lake_location)
        kept = [pq.read_table(lake / part.location / name) for part in parts(store, table) for name in part.files]
        theirs = exact(postgres, table)
        assert sum(kept_rows.num_rows for kept_rows in kept) == theirs.num_rows
        offset = 0
        for rows in kept:
            assert rows.cast(theirs.schema).equals(theirs.slice(offset, rows.num_rows))
            offset += rows.num_rows
    for table in set(MODELS) - TABLES:
        assert exact(store.warehouse, table).equals(exact(postgres, table)), table


def assert_same_checks(store: Tables, postgres: Warehouse) -> None:
    """Each that reads the lake finds as many rows. The others read tables that are the same."""
    for check in CHECKS:
        if tables_in(check.query) & TABLES:
            ours, theirs = evaluate(check, store), evaluate(check, PostgresTables(postgres))
            assert ours.passed == theirs.passed, check.name
            assert ours.metadata["violating_rows"] == theirs.metadata["violating_rows"], check.name


# The same as without a lake.


def test_every_table_is_the_same(store: Tables, make_database: MakeDatabase, tmp_path: Path) -> None:
    """Two dumps that share invoices, a third that is replaced: the lake and PostgreSQL alone hold the same."""
    alone = Warehouse(make_database())
    alone.prepare()
    write_demo_dump(tmp_path / "all.sql", lines=6_000)
    head, *lines, _, _ = (tmp_path / "all.sql").read_text().split("FROM stdin;\n")[1].split("\n")
    columns = (tmp_path / "all.sql").read_text().partition("FROM stdin;")[0].rpartition("COPY")[2]
    for name, some in (("b.sql", [head, *lines[:4000]]), ("a.sql", lines[3000:]), ("b.sql", lines[:3500])):
        (tmp_path / name).write_text(f"COPY{columns}FROM stdin;\n" + "\n".join(filter(None, some)) + "\n\\.\n")
        store.load_dump(DumpFile(tmp_path / name, name))
        load_dump(alone, DumpFile(tmp_path / name, name))
    for parameters in ({}, {"doubled_invoices": "once", "ties": "together", "chart_cutoff": Decimal("0.5")}):
        build_tables(store, **parameters)
        build_tables(alone, **parameters)
        assert_same_tables(store, alone)
        assert_same_checks(store, alone)
    alone.engine.dispose()


GOOD = "536365\t85123A\tLANTERN\t6\t2010-12-01 08:26:00\t2.55\t17850\tUnited Kingdom\n"
CSV = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
HEAD = f"COPY retail ({COLUMNS}) FROM stdin;\n"
DUMPS = [
    HEAD
    + GOOD
    + "C1\t2\t\\N\t-3\t2011-1-2 8:05\t-0.000001\t\\N\tEIRE\n"
    + "A\t\tx\t1\t2011-01-01\t1\t1\tUK\n"
    + "\\.\n",
    HEAD
    + r"""1	2	a\tb\\N\nc\\\\	1	2011-02-28T23:59:59.5	1e3	13085.0	\\N"""
    + "\n"
    + GOOD * 200
    + "x\n\\.\n",
    HEAD + "\\.\n-- next\n" + HEAD + GOOD + "\\.\n\n" + HEAD + GOOD.replace("17850", "0") + GOOD * 150 + "\\.\n",
    CSV + '1,2,"a ""b"", £",1,3/4/2011 8:05,1.5,,UK\n' * 99 + "1,2,x,1,28/4/2011,99999999.999999,2147483647,UK\n",
    CSV + "1,2,x,1,3/4/2011 8:05,1.5,,UK\n",
    CSV,
    HEAD + GOOD.replace("2.55", "NaN") + "\\.\n",
    HEAD + GOOD,
]


@pytest.mark.parametrize("content", DUMPS, ids=range(len(DUMPS)))
def test_lines_rejects_and_refusals_are_the_same(store: Tables, tmp_path: Path, content: str) -> None:
    """The same lines under the same numbers, the same rejects for the same reasons, the same row in the ledger."""
    path = tmp_path / "a dump"
    path.write_text(content)

    def outcome(of: Tables) -> list[Any]:
        try:
            of.load_dump(DumpFile(path, "d", reject_limit=0.4))
        except DumpError as error:
            return [str(error), ledger(store.warehouse)]
        entry = dict(vars(ledger(store.warehouse)["d"]))
        del entry["loaded_at"], entry["written_at"]  # of a file whose age is not told
        return [of.read_frame("raw_invoices").to_dict("list"), rejected_lines(store.warehouse, "d"), entry]

    alone = outcome(PostgresTables(store.warehouse))
    if "d" in ledger(store.warehouse):
        forget_dump(store.warehouse, "d")
    ours = outcome(store)
    assert str(ours) == str(alone)  # NaN is not equal to itself
    assert lines_of(store.warehouse, "d") == []


def test_frames_are_the_same(store: Tables, make_database: MakeDatabase, tmp_path: Path) -> None:
    """What a notebook loads: all of a table, some columns in the order asked for, some dumps, the first rows."""
    alone = Warehouse(make_database())
    alone.prepare()
    for name in ("b.sql", "a.sql", "ä.sql"):
        dump = [Line(f"{name}{i}", description=None, customer_id=None, unit_price="0.1") for i in range(3)]
        load(store, tmp_path, *dump, name=name)
        load_dump(alone, DumpFile(tmp_path / name, name))
    for where in (store, alone):
        build_tables(where, *SOURCES, "monthly_metrics")
    for table in (*TABLES, "monthly_metrics"):
        pd.testing.assert_frame_equal(store.read_frame(table), read_frame(alone, table))
        assert store.extent(table)[0] == PostgresTables(alone).extent(table)[0]
        assert store.extent(table).rows == PostgresTables(alone).extent(table).rows
    some: list[dict[str, Any]] = [
        {"only": ["line_total", "dump"]},
        {"dumps": ["ä.sql", "a.sql"]},
        {"only": ["quantity"], "dumps": []},
        {"dumps": ["b.sql"], "limit": 2},
        {"limit": 0},
    ]
    for table, column in (("raw_invoices", "unit_price"), ("clean_invoices", "line_total")):
        for arguments in some:
            wanted = {**arguments, "only": [column, "dump"]} if "only" in arguments else arguments
            pd.testing.assert_frame_equal(store.read_frame(table, **wanted), read_frame(alone, table, **wanted))
    with pytest.raises(ContractError, match=r"clean_invoices has no column colour; it has dump, line_number"):
        store.read_frame("clean_invoices", ["colour"])
    alone.engine.dispose()


def test_what_is_not_there_is_said(store: Tables, tmp_path: Path) -> None:
    """Before the first dump there are no lines; before the first run there is no table of them."""
    assert store.read_frame("raw_invoices").empty
    with pytest.raises(ContractError, match="There is no table clean_invoices in the lake yet"):
        store.read_frame("clean_invoices")
    build_tables(store, "clean_invoices")
    assert store.read_frame("clean_invoices").empty
    assert store.extent("clean_invoices").rows == 0


# A table changes as a whole or not at all.


def test_a_dump_is_replaced_forgotten_and_loaded_again(store: Tables, tmp_path: Path) -> None:
    """Each time its lines are those of one version; those of other dumps stay in the files that they are in."""
    load(store, tmp_path, Line("1"), Line("2"), name="kept.sql")
    (kept,) = parts(store)
    load(store, tmp_path, Line("3"), name="b.sql")
    load(store, tmp_path, Line("4"), Line("5"), name="b.sql")
    assert store.read_frame("raw_invoices").invoice_no.tolist() == ["4", "5", "1", "2"]
    forget_dump(store.warehouse, "b.sql")
    assert parts(store) == [kept]
    load(store, tmp_path, Line("6"), name="b.sql")
    assert [part.dump for part in parts(store)] == ["b.sql", "kept.sql"]
    assert store.read_frame("raw_invoices", dumps=["b.sql"]).invoice_no.tolist() == ["6"]
    (tmp_path / "c.sql").write_bytes((tmp_path / "b.sql").read_bytes())
    assert store.load_dump(DumpFile(tmp_path / "c.sql", "c.sql")).dump == "b.sql"
    assert [part.dump for part in parts(store)] == ["b.sql", "kept.sql"]


def test_a_second_run_gives_the_same_bytes(store: Tables, tmp_path: Path) -> None:
    """A dump that is read again, and a table that is rebuilt from the same lines."""
    write_demo_dump(tmp_path / "retail.sql.gz", lines=20_000)
    contents = []
    for _ in range(2):
        store.load_dump(DumpFile(tmp_path / "retail.sql.gz", "retail.sql.gz"))
        build_tables(store, "clean_invoices")
        held = [
            (part, file)
            for table in ("raw_invoices", "clean_invoices")
            for part in parts(store, table)
            for file in part.files
        ]
        contents.append(
            [Path(Configuration.read().lake_location, part.location, file).read_bytes() for part, file in held]
        )
    assert contents[0] == contents[1]


def test_a_refresh_that_breaks_the_contract_leaves_the_last_good_table(
    store: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the rule and shows rows. The next write sweeps the files that nothing refers to."""
    load(store, tmp_path, Line(), Line("C7", quantity=-1))
    build_tables(store, "clean_invoices")
    before, held = store.read_frame("clean_invoices"), parts(store, "clean_invoices")
    shutil.copytree(places.SQL, tmp_path / "sql")
    broken = tmp_path / "sql" / "models" / "clean_invoices.sql"
    broken.write_text(broken.read_text().replace("invoice_no like 'C%' as", "false as"))
    monkeypatch.setattr(places, "SQL", tmp_path / "sql")
    with pytest.raises(ContractError, match=r"(?s)clean_invoices, column .*is_cancellation.*: 1 row .*invoice_no=C7"):
        build_tables(store, "clean_invoices")
    pd.testing.assert_frame_equal(store.read_frame("clean_invoices"), before)
    assert parts(store, "clean_invoices") == held
    assert len(files("clean_invoices")) == 2
    monkeypatch.undo()
    monkeypatch.setenv("LGS_HOME", str(tmp_path / "lgs"))
    build_tables(store, "clean_invoices")
    assert len(files("clean_invoices")) == 2  # that of before, which somebody may be reading, and the new one


def test_files_are_swept_when_nobody_reads_them_any_more(store: Tables, tmp_path: Path) -> None:
    """What was replaced stays for a while, then the next write takes it away; what counts stays for good."""
    for number in range(3):
        load(store, tmp_path, Line(quantity=number + 1))
        build_tables(store, "clean_invoices")
    assert (len(files("raw_invoices")), len(files("clean_invoices"))) == (3, 3)
    a_minute = timedelta(minutes=1)
    for quantity, passed, left in ((6, GRACE - a_minute, 4), (7, a_minute, 3)):
        with store.warehouse.transaction() as connection:
            connection.execute(sa.text("update lake_parts set retired_at = retired_at - :passed"), {"passed": passed})
        load(store, tmp_path, Line(quantity=quantity))
        build_tables(store, "clean_invoices")
        assert (len(files("raw_invoices")), len(files("clean_invoices"))) == (left, left)
    assert store.read_frame("clean_invoices").quantity.tolist() == [7]


# Work follows the change.


@pytest.fixture
def history(store: Tables, tmp_path: Path) -> Tables:
    """A lake with a dump that is long beside all others."""
    load(store, tmp_path, *HISTORY, name="history.sql")
    build_tables(store, *SOURCES)
    return store


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(change, min_size=1, max_size=4),
    rules=st.sampled_from([{}, {"drop_repeats": True}, {"doubled_invoices": "once"}]),
)
def test_after_any_changes_the_tables_are_as_if_rebuilt(
    history: Tables, tmp_path: Path, changes: list[tuple[str, list[Line], str | None]], rules: dict[str, Any]
) -> None:
    """Small dumps of any age arrive, are replaced and forgotten, win invoices and lose them: rows and their order."""
    for dump in ledger(history.warehouse):
        if dump != "history.sql":
            forget_dump(history.warehouse, dump)
    build_tables(history, *SOURCES, **rules)
    for name, lines, written_at in changes:
        if lines:
            load(history, tmp_path, *lines, name=name, written_at=written_at)
        elif name in ledger(history.warehouse):
            forget_dump(history.warehouse, name)
        build_tables(history, *SOURCES, **rules)
    refreshed = [(history.read_frame(table), history.read_frame(table, ["dump"], limit=7)) for table in SOURCES]
    counted = history.warehouse.rows(
        "select row_count from publications where table_name = any (:tables)", tables=[*SOURCES]
    )
    assert sorted(row.row_count for row in counted) == sorted(len(frame) for frame, _ in refreshed)
    build_tables(history, *SOURCES, **rules)  # nothing has changed, so they are rebuilt in full
    for table, (frame, head) in zip(SOURCES, refreshed, strict=True):
        assert len(parts(history, table)) == 1
        pd.testing.assert_frame_equal(frame, history.read_frame(table))
        pd.testing.assert_frame_equal(head, history.read_frame(table, ["dump"], limit=7))


def test_files_of_other_invoices_are_not_touched(history: Tables, tmp_path: Path) -> None:
    """New invoices go to a second, small part; only that one is written when the next ones come."""
    held = {table: parts(history, table) for table in SOURCES}
    for day in (1, 2):
        load(history, tmp_path, Line(f"new {day}", invoice_date=f"2011-06-0{day} 10:00"), name=f"june-{day}.sql")
        build_tables(history, *SOURCES)
        for table, (first,) in held.items():
            assert parts(history, table)[0] == first
            assert [part.rows for part in parts(history, table)[1:]] == [day]
    load(history, tmp_path, Line("1", invoice_date="2011-06-03 10:00"), name="june-3.sql")
    build_tables(history, *SOURCES)
    assert [part.rows for part in parts(history, "clean_invoices")] == [297, 3]


def test_a_refresh_that_breaks_the_contract_changes_no_part(
    history: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even that of the invoices that have changed, which is written first."""
    held = parts(history, "clean_invoices")
    load(history, tmp_path, Line("1", invoice_date="2011-06-01 10:00"), name="june.sql")
    shutil.copytree(places.SQL, tmp_path / "sql")
    broken = tmp_path / "sql" / "models" / "clean_invoices.sql"
    broken.write_text(broken.read_text().replace("invoice_no like 'C%' as", "true as"))
    with monkeypatch.context() as patch:
        patch.setattr(places, "SQL", tmp_path / "sql")
        with pytest.raises(ContractError, match="is_cancellation"):
            build_tables(history, "clean_invoices")
    assert parts(history, "clean_invoices") == held
    build_tables(history, "clean_invoices")
    assert [part.rows for part in parts(history, "clean_invoices")] == [297, 1]


def test_a_table_that_is_gone_is_rebuilt(history: Tables, tmp_path: Path) -> None:
    """Although the ledger names its files: the lines are all it needs."""
    (part,) = parts(history, "clean_invoices")
    shutil.rmtree(Path(Configuration.read().lake_location, part.location))
    load(history, tmp_path, Line("new", invoice_date="2011-06-01 10:00"), name="june.sql")
    build_tables(history, *SOURCES)
    assert [part.rows for part in parts(history, "clean_invoices")] == [301]


def test_a_second_part_that_grows_becomes_one_with_the_first(history: Tables, tmp_path: Path) -> None:
    """So that the small one stays small."""
    for day in range(1, 5):
        lines = [Line(f"new {day}", invoice_date=f"2011-06-0{day} 10:00")] * 20
        load(history, tmp_path, *lines, name=f"june-{day}.sql")
        build_tables(history, "clean_invoices")
    assert [part.rows for part in parts(history, "clean_invoices")] == [360, 20]


def load_and_wait(url: str, path: Path) -> None:
    """The work of the process that is killed: loads a dump, and stops at the end of its lines."""
    store = tables_of(Configuration.read(), Warehouse(url))
    store.load_dump(DumpFile(path, "retail.sql"))


def test_a_load_that_is_killed_leaves_the_old_version(store: Tables, tmp_path: Path) -> None:
    """Kill -9 while lines are written: the ledger, the lines and the next load know nothing of it."""
    load(store, tmp_path, Line())
    before, entry = store.read_frame("raw_invoices"), ledger(store.warehouse)
    write_dump(tmp_path / "large" / "retail.sql", [Line(f"{i}") for i in range(100_000)])
    process = PROCESSES.Process(target=load_and_wait, args=(store.warehouse.url, tmp_path / "large" / "retail.sql"))
    process.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(files()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    assert len(files()) == 2
    pd.testing.assert_frame_equal(store.read_frame("raw_invoices"), before)
    assert ledger(store.warehouse) == entry
    load(store, tmp_path, Line(quantity=2))
    assert store.read_frame("raw_invoices").quantity.tolist() == [2]
    assert len(files()) == 2  # the first version, for those who may be reading it, and this one


# Where it is.


def test_lines_move_into_the_lake_and_out_of_it(store: Tables, tmp_path: Path) -> None:
    """With another engine, reloaded dumps move, and no table is built while some have not."""
    alone = PostgresTables(store.warehouse)
    load(alone, tmp_path, Line("1"), name="a.sql")
    load(alone, tmp_path, Line("2"), name="b.sql")
    build_tables(alone, *SOURCES)
    load(store, tmp_path, Line("1"), name="a.sql")
    with pytest.raises(LgsError, match=r"The lines of b\.sql are not in the lake.* lgs run .* lgs forget"):
        build_tables(store, "clean_invoices")
    load(store, tmp_path, Line("2"), name="b.sql")
    build_tables(store, *SOURCES)
    assert store.read_frame("clean_invoices").invoice_no.tolist() == ["1", "2"]
    assert lines_of(store.warehouse, "a.sql") == []
    with pytest.raises(ContractError, match="There is no table clean_invoices yet"):
        alone.read_frame("clean_invoices")
    load(alone, tmp_path, Line("a.sql"), name="a.sql")
    with pytest.raises(LgsError, match=r"The lines of b\.sql are not in PostgreSQL.* lgs run .* lgs forget"):
        build_tables(alone, "clean_invoices")
    load(alone, tmp_path, Line("b.sql"), name="b.sql")
    build_tables(alone, *SOURCES)
    assert alone.read_frame("clean_invoices").invoice_no.tolist() == ["a.sql", "b.sql"]
    assert current(store.warehouse, TABLES) == []


def test_files_of_what_has_left_the_lake_are_swept(store: Tables, tmp_path: Path) -> None:
    """PostgreSQL knows nothing of the lake: the next write into the lake finds that a dump and a table have gone."""
    alone = PostgresTables(store.warehouse)
    load(store, tmp_path, Line("1"))
    build_tables(store, "clean_invoices")
    load(alone, tmp_path, Line("2"))
    build_tables(alone, "clean_invoices")
    assert current(store.warehouse, TABLES) == []
    for _ in range(2):
        load(store, tmp_path, Line("3"))
        build_tables(store, "clean_invoices")
        assert store.read_frame("clean_invoices").invoice_no.tolist() == ["3"]
        with store.warehouse.transaction() as connection:
            connection.execute(sa.text("update lake_parts set retired_at = retired_at - :grace"), {"grace": GRACE})
    assert {path.relative_to(Configuration.read().lake_location).parts[0] for path in files()} == {
        "raw_invoices",
        "clean_invoices",
    }
    assert len(files()) == 4  # of each table the one that counts, and the one before it


def test_a_view_on_the_lines_is_not_left_behind(store: Tables, tmp_path: Path) -> None:
    """A table on which somebody's view depends does not move into the lake; the error says what to drop."""
    load(PostgresTables(store.warehouse), tmp_path, Line())
    build_tables(PostgresTables(store.warehouse), "clean_invoices")
    with store.warehouse.transaction() as connection:
        connection.execute(sa.text("create view lgs.ours as select * from clean_invoices"))
    load(store, tmp_path, Line())
    with pytest.raises(LgsError, match=r"lgs\.clean_invoices moves to the lake, and .*view ours.* Drop them"):
        build_tables(store, "clean_invoices")
    assert len(read_frame(store.warehouse, "clean_invoices")) == 1


@pytest.mark.parametrize("protocol", ["memory", "abfs"])
def test_the_lake_may_be_behind_a_url(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, protocol: str
) -> None:
    """Any file system of fsspec will do: one in memory, and a container of Azure Storage."""
    if protocol == "abfs":
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", request.getfixturevalue("azurite"))
    root = UPath(f"{protocol}://lake-{uuid.uuid4().hex[:12]}", use_listings_cache=False)
    root.mkdir(parents=True)
    monkeypatch.setenv("LGS_ENGINE", "duckdb")
    monkeypatch.setenv("LGS_LAKE", f"{root}/retail/lake".replace("///", "//"))
    store = tables_of(Configuration.read(), warehouse)
    for number in range(2):
        load(store, tmp_path, Line(quantity=number + 1), Line("9", quantity=5))
        build_tables(store, *(table for table in MODELS if table in FEW))
    assert store.read_frame("clean_invoices", ["quantity"], limit=1).quantity.tolist() == [2]
    assert evaluate(next(check for check in CHECKS if check.table == "clean_invoices"), store).passed
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update lake_parts set retired_at = retired_at - :grace"), {"grace": GRACE})
    load(store, tmp_path, Line(quantity=3))
    root.fs.invalidate_cache()
    assert len([path for path in root.fs.find(root.path) if "/raw_invoices/" in path]) == 2


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"LGS_ENGINE": "oracle"}, "LGS_ENGINE: expected 'postgres', 'duckdb' or 'spark'; found 'oracle'"),
        ({"LGS_LAKE": "/proc/lake"}, "/proc/lake: the lake is out of reach: .* Check LGS_LAKE"),
        ({"LGS_LAKE": "nosuch://lake"}, "nosuch://lake: out of reach: .*nosuch.* Check LGS_LAKE and the credentials"),
    ],
)
def test_a_lake_that_cannot_be_is_said(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    """The error says what is wrong, and what to look at."""
    for name, value in ({"LGS_ENGINE": "duckdb"} | variables).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LgsError, match=said):
        load(tables_of(Configuration.read(), warehouse), tmp_path, Line())
    assert ledger(warehouse) == {}
