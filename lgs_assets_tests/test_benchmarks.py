"""The benchmark: its workloads have the lines that they claim, and its comparison finds what is wrong."""

import gzip
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import psycopg
import pytest
from rich.console import Console
from rich.progress import Progress

from benchmarks import foresight, history, report
from benchmarks.compare import Verdict, compare
from benchmarks.measure import Limits, Measurement, measure
from benchmarks.peers import HISTORY, OURS_OF_HISTORY, PEERS, PLATFORM
from benchmarks.peers.common import RESULTS, SETTINGS, in_order
from benchmarks.peers.history import main as build_history
from benchmarks.peers.history_psql import transform
from benchmarks.peers.platform import main
from benchmarks.peers.psql import run as run_script
from benchmarks.results import Results, Run, load, save
from benchmarks.run import settings_as_sql
from benchmarks.warehouse import seconds_of_steps
from benchmarks.workload import day_after, replicate, replicated, write_day_after
from lgs_assets.command.runner import Step
from lgs_assets.command.terminal import StepProgress
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import SCHEMA
from lgs_assets.warehouse.server import EmbeddedServer, program
from lgs_assets_tests.builders import Line, MakeDatabase, values, write_dump

LINES = [
    Line(invoice_no="500001", customer_id=17001, unit_price="1.25", description="A \\\\ B"),
    Line(invoice_no="500001", customer_id=17001, quantity=2),
    Line(invoice_no="C500002", customer_id="17002.0", quantity=-1),
    Line(invoice_no="500003", customer_id=None, description=None, unit_price="0"),
    Line(invoice_no="500004", customer_id=17002, invoice_date="2011-04-30 23:30:00", unit_price="0.105"),
]


def lines_of(dump: Path) -> list[tuple[str, ...]]:
    text: str = gzip.decompress(dump.read_bytes()).decode()
    assert text.startswith("COPY public.retail (")
    assert text.endswith("\n\\.\n")
    return [tuple(line.split("\t")) for line in text.splitlines()[1:-1]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "retail.sql.gz", LINES)


@pytest.fixture(scope="module")
def made_once(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with all tables of the lines; never changed, only copied."""
    warehouse = Warehouse(make_database())
    main(warehouse, [write_dump(tmp_path_factory.mktemp("benchmarks") / "retail.sql.gz", LINES)])
    warehouse.engine.dispose()
    return warehouse.url


@pytest.fixture
def made(make_database: MakeDatabase, made_once: str) -> str:
    """The URL of a copy that the test may change."""
    return make_database(template=made_once)


def change(url: str, *statements: str) -> None:
    with psycopg.connect(url, options=f"-c search_path={SCHEMA}") as connection:
        for statement in statements:
            connection.execute(statement.encode())


def faults(ours: str, theirs: str) -> dict[str, str]:
    return {verdict.table: verdict.wrong for verdict in compare(ours, theirs, schema=SCHEMA) if verdict.wrong}


def test_copies_are_the_lines_under_new_ids(source: Path, tmp_path: Path) -> None:
    """The first copy is the dump itself; others differ in invoice and customer alone, which are theirs alone."""
    replicate(source, tmp_path / "3x.sql.gz", copies=3)
    lines, original = lines_of(tmp_path / "3x.sql.gz"), lines_of(source)
    assert len(lines) == 3 * len(original)
    assert [line for line in lines if "-" not in line[0]] == original
    for copy in (1, 2):
        of_copy = [line for line in lines if line[0].endswith(f"-{copy}")]
        assert [line[1:6] for line in of_copy] == [line[1:6] for line in original]
        assert [line[0].removesuffix(f"-{copy}") for line in of_copy] == [line[0] for line in original]
        customers = [str(int(float(line[6])) + copy * 100_000) if line[6] != "\\N" else "\\N" for line in original]
        assert [line[6] for line in of_copy] == customers


def test_every_copy_has_the_same_figures(source: Path, tmp_path: Path, warehouse: Warehouse) -> None:
    """So many times the lines, the invoices, the customers and the sales; the same customer in each copy."""
    replicate(source, tmp_path / "4x.sql.gz", copies=4)
    main(warehouse, [tmp_path / "4x.sql.gz"])
    (month, _) = warehouse.rows("select total_orders, canceled_orders, sales from monthly_metrics order by 1 desc")
    assert values(month) == (4 * 3, 4 * 1, 4 * Decimal("2.25"))
    scores = warehouse.rows("select count(*) as customers, count(distinct monetary) as amounts from rfm_scores")
    assert values(scores[0]) == (4 * 2, 2)


def test_the_day_after_brings_new_invoices_of_known_customers(tmp_path: Path) -> None:
    """A thousandth of the lines, each copy's alike, dated a day later."""
    many = [replace(LINES[0], invoice_no=f"{500_000 + n}") for n in range(1_998)] + [LINES[3], LINES[4]]
    source = write_dump(tmp_path / "retail.sql.gz", many)
    write_day_after(source, tmp_path / "day.sql.gz", copies=2)
    day = lines_of(tmp_path / "day.sql.gz")
    assert [line[0] for line in day] == ["500003-next", "500004-next", "500003-next-1", "500004-next-1"]
    assert [line[4] for line in day] == ["2011-03-05 10:00:00", "2011-05-01 23:30:00"] * 2
    assert [line[6] for line in day] == ["\\N", "17002", "\\N", "117002"]


def test_workloads_are_made_once(source: Path, tmp_path: Path) -> None:
    """Made on demand, kept, and remade when the source is newer. At its own size it is the source."""
    assert replicated(source, tmp_path / "work", copies=1) == source
    for make in (replicated, day_after):
        path = make(source, tmp_path / "work", copies=2)
        first = path.stat().st_mtime_ns
        assert make(source, tmp_path / "work", copies=2).stat().st_mtime_ns == first
    source.touch()
    assert replicated(source, tmp_path / "work", copies=2).stat().st_mtime_ns > first


def test_equal_tables_are_the_same(made_once: str, made: str) -> None:
    """Even with the rows in another order."""
    change(made, "create table again as table clean_invoices", "delete from clean_invoices",
           "insert into clean_invoices select * from again order by line_number desc")  # fmt: skip
    assert compare(made_once, made, schema=SCHEMA) == [
        Verdict(verdict.table, verdict.rows) for verdict in compare(made_once, made_once, schema=SCHEMA)
    ]


@pytest.mark.parametrize(
    ("table", "statement", "found"),
    [
        ("rfm_scores", "update {} set m_score = 3 where customer_id = 17001", "m_score differs in 1 rows"),
        ("invoice_amounts", "update {} set amount = amount + 0.01 where invoice_no = '500001'",
         "amount differs by up to 0.01 in 1 rows"),
        ("segment_summary", "update {} set recency_mean = 0 where customers = 0",
         "recency_mean differs in 8 rows"),
        ("monthly_metrics", "delete from {} where is_partial or true", "0 rows, not 2; 2 rows are missing"),
        ("segments", "insert into {} select 1, 'x', 1, 1, 1, 1, 1, '', '', ''",
         "3 rows, not 2; 0 rows are missing, 1 are"),
        ("clean_invoices", "alter table {} drop constraint clean_invoices_pkey; insert into {} table {} limit 1",
         "6 rows, not 5"),
        ("user_activity", "alter table {} drop column new_users", "has no new_users"),
        ("raw_invoices", "alter table {} rename to nothing", "is missing"),
        ("segments", "alter table {} alter frequency type text using 'often'", "holds what it cannot hold"),
    ],
)  # fmt: skip
def test_a_planted_difference_is_found(made_once: str, made: str, table: str, statement: str, found: str) -> None:
    """A value, a penny, a NULL, a row too few, too many or twice, a column, a table: each is named."""
    change(made, *statement.replace("{}", table).split("; "))
    wrong = faults(made_once, made)
    assert found in wrong[table]
    assert list(wrong) == [table]


def test_noise_of_floats_is_inexact(made_once: str, made: str) -> None:
    """A float that differs in its last digits counts, and is reported; one that holds the value exactly is equal."""
    change(made, "alter table invoice_amounts alter amount type double precision",
           "update invoice_amounts set amount = amount + 1e-12 where invoice_no = '500001'")  # fmt: skip
    verdict = next(verdict for verdict in compare(made_once, made, schema=SCHEMA) if verdict.table == "invoice_amounts")
    assert (verdict.wrong, verdict.inexact) == ("", 1)
    assert Decimal("9e-13") < verdict.largest < Decimal("1.1e-12")


def test_peers_make_every_model() -> None:
    """Those of the results that are compared, in an order in which each finds what it reads."""
    tables = in_order()
    assert {"clean_invoices", *RESULTS} <= set(tables)
    assert tables.index("clean_invoices") < tables.index("rfm_scores") < tables.index("segments")


def test_what_happened_is_the_same_in_psql(made: str, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table of it is built on the platform's lines, and those that a SELECT builds once more, side by side."""
    psql_peer = next(peer for peer in HISTORY if peer.name == "history_psql")
    build_history(Warehouse(made), history.built_by(OURS_OF_HISTORY))
    monkeypatch.setenv("DATABASE_URL", made)
    monkeypatch.setenv(SETTINGS, settings_as_sql())
    monkeypatch.setenv("PATH", str(program("psql").parent), prepend=os.pathsep)
    tables = history.built_by(psql_peer)
    assert {"rfm_history", "products", "returns"} <= set(tables) < set(history.tables())
    run_script(transform(tables))
    assert [verdict.table for verdict in compare(made, made, tables=tables) if verdict.wrong or verdict.inexact] == []


def test_a_run_is_measured(server: EmbeddedServer, make_database: MakeDatabase, tmp_path: Path) -> None:
    """Its stages as they are reported, the memory of both sides, what the server wrote."""
    url = make_database()
    client = (
        "import psycopg, sys, time; memory = bytearray(100_000_000); print('start', flush=True); time.sleep(0.5)\n"
        f"with psycopg.connect({url!r}) as c: c.execute('create table t as select generate_series(1, 300000)')\n"
        "print('t', flush=True)"
    )
    run = measured(server, url, tmp_path, client)
    assert run.error == ""
    assert list(run.stages) == ["start", "t"]
    assert 0.5 < run.stages["t"] < run.seconds
    assert run.client_bytes > 100_000_000
    assert run.server_bytes > 10_000_000
    if hasattr(psutil.Process, "io_counters"):
        assert run.written_bytes and run.written_bytes > 10_000_000
    else:  # on macOS
        assert run.written_bytes is None


@pytest.mark.parametrize(
    ("client", "seconds", "error"),
    [
        ("import sys; sys.exit(4)", 60, "exit status 4"),
        ("import time; time.sleep(60)", 1, "takes longer than 1 s"),
        ("import time; memory = bytearray(600_000_000); time.sleep(60)", 60, "needs more than 0.4 GB"),
    ],
)
def test_a_run_that_fails_says_why(
    server: EmbeddedServer, make_database: MakeDatabase, tmp_path: Path, client: str, seconds: float, error: str
) -> None:
    """One that takes too long or too much is stopped: the benchmark goes on."""
    run = measured(server, make_database(), tmp_path, client, seconds=seconds)
    assert error in run.error
    assert run.seconds < 60


def measured(server: EmbeddedServer, url: str, folder: Path, client: str, *, seconds: float = 60) -> Measurement:
    return measure(
        [sys.executable, "-c", client], environment=os.environ, url=url, data=server.data, log=folder / "log",
        limits=Limits(seconds, client_bytes=400_000_000),
    )  # fmt: skip


def test_a_wrong_peer_is_no_rival(tmp_path: Path) -> None:
    """The fastest is that of those whose tables are ours, the floor apart; the page and the picture show them all."""
    titles = {peer.name: peer.title for peer in PEERS}
    seconds = {PLATFORM: 6.0, "psql": 4.0, "dbt_postgres": 5.0, "duckdb_postgres": 2.0, "notebook": 60.0}
    runs = [Run(1, titles[name], Measurement(taken, client_bytes=10**8)) for name, taken in seconds.items()]
    runs.append(Run(1, titles["polars_adbc"], Measurement(1.0, error="exit status 1")))
    verdicts = {f"1x {titles[name]}": [Verdict("segments", 10)] for name in seconds}
    verdicts[f"1x {titles['duckdb_postgres']}"] = [Verdict("segments", 10, wrong="m_score differs in 3 rows")]
    results = Results("retail.sql.gz", {"PostgreSQL": "18"}, load=[0.5], runs=runs, verdicts=verdicts)

    measured = {what: (value, met) for what, _, value, met in report.targets(results)}
    assert measured[f"1×: whole job, against the fastest ({titles['dbt_postgres']})"] == ("1.20", "**missed**")
    assert measured[f"1×: whole job, against {titles['psql']}"] == ("1.50", "met")
    assert measured["1×: times faster than the notebook way"] == ("10.00", "**missed**")

    report.write(results, tmp_path)
    assert "**does not count**: segments: m_score differs in 3 rows" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "seconds-1x.png").read_bytes().startswith(b"\x89PNG")
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results


def test_what_nobody_said_is_wrong() -> None:
    """Errors are the means of the days; a customer that was left out is infinitely wrong, or ranked last."""
    days = pd.to_datetime(["2011-01-01", "2011-01-01", "2011-02-01", "2011-02-01"])
    customers = pd.DataFrame({"as_of": days, "customer_id": [1, 2, 1, 2]})
    came = customers.assign(came_purchases=[0, 1, 2, 3], came_sales=10.0)
    said = came.assign(purchases=[1.0, 1.0, 2.0, 0.0], sales=10.0)
    assert foresight.errors_of_amounts(said, came) == [1.0, 0.0]
    assert foresight.errors_of_amounts(said[1:], came) == [np.inf, np.inf]
    assert foresight.days_answered(said.assign(sales=[10.0, np.inf, 10.0, 10.0])) == {days[2]}
    asked = customers.assign(bought_90=[True, False, True, False], recency_days=10, segment="Loyal Customers")
    scored = asked.assign(score=[0.1, 0.9, 0.5, 0.5])
    assert foresight.errors_of_ranks(scored, asked) == [0.75] * 3
    assert foresight.errors_of_ranks(scored[:3], asked) == [0.5] * 3


def test_the_steps_of_a_run_are_read_from_what_it_prints(tmp_path: Path) -> None:
    with Progress(console=Console(file=(tmp_path / "run.log").open("w"), width=80)) as progress:
        for name, seconds in (("raw_invoices", 17.14), ("check_raw_invoices", 0.5)):
            step_shown = StepProgress(progress)
            step_shown(Step(name, None))
            step_shown(Step(name, seconds))
    assert seconds_of_steps(tmp_path) == {"raw_invoices": 17.1, "checks of raw_invoices": 0.5}
