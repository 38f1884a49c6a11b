"""The command line: what a person types, sees and can script."""

import errno
import gzip
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import psutil
import psycopg
import pytest
import typer
from typer.testing import CliRunner, Result

from lgs_assets import places
from lgs_assets.charts.report import families
from lgs_assets.command import runner
from lgs_assets.command.cli import app
from lgs_assets.command.reporting import reporting_errors
from lgs_assets.command.terminal import console
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.contracts.check import CHECKS
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.errors import ContractError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.versions import outdated
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.builders import (
    DERIVED,
    FEW,
    SHOP,
    TABLES,
    Line,
    MakeDatabase,
    build_tables,
    followers,
    leave_few_tables,
    load_lines,
    sources,
    write_dump,
)

PATIENCE_SECONDS = 120


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, arguments)


@pytest.fixture
def dump(tmp_path: Path, one_chart: None) -> Path:
    lines = [
        Line(f"{c}-{i}", customer_id=c, invoice_date=f"2011-0{i}-{c - 100:02} 10:00")
        for c in range(101, 121)
        for i in range(1, 3 + c % 2)
    ]
    return write_dump(tmp_path / "a folder" / "march.sql.gz", lines)


def state_of(warehouse: Warehouse) -> list[dict[str, object]]:
    query = (
        "select table_name, published_at::text as at from publications union select dump, loaded_at::text from dumps"
    )
    return sorted((dict(row) for row in warehouse.rows(query)), key=str)


@pytest.mark.parametrize("database_is_full", [True, False])
def test_a_full_disk_is_told_wherever_it_shows(database_is_full: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Dagster's SQLite and files that are written have errors of their own; a person sees one line."""

    @reporting_errors
    def write() -> None:
        if not database_is_full:
            raise OSError(errno.ENOSPC, "No space left on device", "charts.png")
        try:
            sqlite3.connect(":memory:").executescript("pragma max_page_count = 1; create table runs (id)")
        except sqlite3.Error as error:
            raise RuntimeError("of SQLAlchemy's or Dagster's") from error

    with pytest.raises(typer.Exit):
        write()
    told = capsys.readouterr().err
    assert told.startswith("A disk is full: ") and ("LGS_HOME" if database_is_full else "charts.png") in told


def test_help_names_every_command() -> None:
    """A newcomer finds all of them, each with a line that says what it does."""
    result = lgs("--help")
    assert result.exit_code == 0
    commands = list(typer.main.get_group(app).commands)
    assert {"run", "experiment"} <= set(commands)
    assert [command for command in commands if f" {command} " not in result.output] == []
    assert [command for command in commands if lgs(command, "--help").exit_code] == []


def test_the_readme_has_every_command() -> None:
    """Its table is where people look for what they can do."""
    readme = (places.ROOT / "README.md").read_text()
    assert [each for each in typer.main.get_group(app).commands if not re.search(rf"\| `{each}[ `]", readme)] == []


@pytest.mark.usefixtures("few_tables")
def test_a_second_run_changes_nothing(warehouse: Warehouse, dump: Path) -> None:
    """The first run loads and builds everything and shows the segments; the second says there is nothing to do."""
    first = lgs("run", str(dump))
    assert first.exit_code == 0, first.output
    assert f"Loaded march.sql.gz; rebuilt {len(FEW - {'raw_invoices'})} tables" in first.output
    assert "Champions" in first.output
    before = state_of(warehouse)
    for arguments in (("run", str(dump)), ("run",)):
        again = lgs(*arguments)
        assert again.exit_code == 0, again.output
        assert "Everything is up to date" in again.output
    assert state_of(warehouse) == before


@pytest.mark.usefixtures("built", "few_tables")
def test_a_changed_setting_rebuilds_and_status_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables follow the settings of the run, and status tells where they are not those of the environment."""
    result = lgs("run", "--ties", "together")
    assert result.exit_code == 0, result.output
    assert "Rebuilt " in result.output
    status = lgs("status")
    assert status.exit_code == 0, status.output
    assert "march.sql" in status.output
    assert "rfm_history with ties together" in " ".join(status.output.split())
    assert "outdated" in status.output
    assert f"{len(CHECKS)} of {len(CHECKS)} hold" in status.output
    monkeypatch.setenv("LGS_TIES", "together")
    assert "outdated" not in lgs("status").output
    assert "Everything is up to date" in lgs("run").output


def test_a_variable_that_is_no_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It might be a misspelt one, whose value would be missed in silence."""
    monkeypatch.setenv("LGS_DASHBOARD_PROT", "8051")
    monkeypatch.setenv("LGS_DROP_REPEAT", "true")
    told = lgs("config").stderr.splitlines()
    assert told == [
        "LGS_DASHBOARD_PROT is not a setting, so it is ignored. All are listed by lgs config.",
        "LGS_DROP_REPEAT is not a setting, so it is ignored. Did you mean LGS_DROP_REPEATS?",
    ]


@pytest.mark.usefixtures("few_tables")
def test_what_is_lost_of_a_table_is_said(built: Warehouse) -> None:
    """A column that was added by hand, say: to the person at the terminal, and in the log of the run."""
    with built.transaction() as connection:
        connection.exec_driver_sql("alter table rfm_scores add column note text")
    result = lgs("run", "--ties", "together")
    assert result.exit_code == 0, result.output
    lost = "lgs.rfm_scores: the column note is not kept when the table is rebuilt: it belongs in its contract"
    assert lost in result.stderr
    with dagster_instance(Configuration.read()) as instance:
        (run,) = instance.get_runs(limit=1)
        assert lost in [entry.user_message for entry in instance.all_logs(run.run_id)]


@pytest.mark.usefixtures("few_tables")
def test_what_stands_in_the_way_of_a_table_is_said_at_once(built: Warehouse) -> None:
    """A foreign key would go with the table: it is named in a line, without a retry, and nothing is lost."""
    with built.transaction() as connection:
        connection.exec_driver_sql("create table notes (customer_id bigint references rfm_scores)")
    result = lgs("run", "--ties", "together")
    assert result.exit_code == 1
    assert "notes_customer_id_fkey on table notes depends on table rfm_scores" in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output
    with dagster_instance(Configuration.read()) as instance:
        (run,) = instance.get_runs(limit=1)
        assert not instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)


def test_status_finds_a_fault(built: Warehouse) -> None:
    """If a table no longer adds up, scripts see it by the exit code: of what checks found last, or find when asked."""
    with built.transaction() as connection:
        connection.exec_driver_sql("delete from segments where customer_id = 105")
    found = "segments.match_scores: 1 row\n"
    assert found not in lgs("status").output
    result = lgs("status", "--check")
    assert result.exit_code == 3
    assert found in result.output
    with built.transaction() as connection:
        connection.exec_driver_sql("update publications set published_at = now() where table_name = 'segments'")
    result = lgs("status")
    assert result.exit_code == 3
    assert found in result.output


def in_columns(columns: int, *arguments: str) -> str:
    """The output of a command on a terminal with this many columns."""
    before, console.width = console.width, columns
    result = lgs(*arguments)
    console.width = before
    assert result.exit_code == 0, result.output
    return result.output


def test_status_is_legible_on_a_narrow_terminal(warehouse: Warehouse, tmp_path: Path) -> None:
    """Times and dates in full beside the longest name, tables in the order of the lineage, settings as people write."""
    name = f"{'a-very-long-name-' * 5}.sql"
    load_lines(warehouse, tmp_path, SHOP, name=name)
    build_tables(warehouse)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update dumps set loaded_at = now() - interval '59 minutes'")
        connection.exec_driver_sql("update publications set published_at = now() - interval '90 seconds'")
    shown = in_columns(80, "status")
    dumps, _, tables = shown.partition("Tables")
    assert "59 minutes ago" in dumps
    assert f"2011-03-01  {max(line.invoice_date for line in SHOP)[:10]}" in dumps
    assert name in "".join(line.split()[0] for line in dumps.splitlines() if line.strip())
    assert tables.count("1 minute ago") == len(TABLES)
    assert "…" not in shown
    order = [line.split()[0] for line in tables.splitlines() if line.endswith(("current ", "outdated "))]
    assert sorted(order) == sorted(DERIVED)
    assert all(order.index(table) < order.index(follower) for table in DERIVED for follower in followers(table))
    assert "ties by_customer_id, drop_repeats no" in " ".join(shown.split())
    assert not {"None", "True", "False"} & set(shown.split())
    assert not {"None", "True", "False"} & set(in_columns(200, "config").split())


def test_status_tells_of_a_refused_dump_until_it_is_dealt_with(built: Warehouse) -> None:
    """What it is, since when, why, and what to do: also when its file is gone, which leaves a red partition."""
    inbox = Path(Configuration.read().inbox_location)
    bad = write_dump(inbox / "a bad.sql", [Line(quantity="seven")])
    (inbox / "folder").mkdir()
    assert lgs("run").exit_code == 1
    shown = " ".join(in_columns(200, "status").split())
    assert "a bad.sql: refused, moments ago" in shown
    assert "1 of 1 lines cannot be read" in shown
    assert "Correct the file in the inbox, or give it up: lgs forget 'a bad.sql'" in shown
    assert f"{inbox}/folder: " in shown
    bad.unlink()
    assert "Its file is gone; this clears it: lgs forget 'a bad.sql'" in in_columns(200, "status")
    asked = lgs("forget", "a bad.sql")
    assert "no line of it is loaded, and its file is gone" in " ".join(asked.output.split())
    forgotten = lgs("forget", "a bad.sql", "--yes")
    assert forgotten.exit_code == 0, forgotten.output
    assert "Forgot a bad.sql, of which nothing was loaded.\n" in forgotten.output
    assert "a bad.sql" not in in_columns(200, "status")
    with dagster_instance(Configuration.read()) as instance:
        assert instance.get_dynamic_partitions("dumps") == ["march.sql"]


def test_a_refused_correction_leaves_what_was_loaded(built: Warehouse) -> None:
    """Its name stands for lines that count: removing it is another matter."""
    march = Path(Configuration.read().inbox_location) / "march.sql"
    write_dump(march, [Line(quantity="seven")])
    assert lgs("run").exit_code == 1
    assert "or give it up: lgs forget march.sql" in in_columns(200, "status")
    march.unlink()
    assert "What it held before stays; this takes that out: lgs forget march.sql" in in_columns(200, "status")


def test_an_oddity_is_accepted_up_to_a_number(warehouse: Warehouse, tmp_path: Path) -> None:
    """It is no longer a warning, until it finds more; and is one again when the acceptance is taken back."""
    check = "clean_invoices.prices_are_positive"

    def load(*gifts: str) -> None:
        load_lines(warehouse, tmp_path, [Line(), *(Line(f"gift {gift}", unit_price="0.00") for gift in gifts)])
        build_tables(warehouse, "clean_invoices")

    load("a", "b")
    assert f"! {check}: 2 rows" in in_columns(200, "status")
    assert f"{check} finds 2 rows now; from now on it warns when it finds more than 2 rows." in in_columns(
        200, "accept", check
    )
    accepted = in_columns(200, "status")
    assert f"✓ {check}: 2 rows, accepted up to 2" in accepted
    with dagster_instance(Configuration.read()) as instance:
        key = dg.AssetCheckKey(dg.AssetKey("clean_invoices"), "prices_are_positive")
        record = instance.get_latest_asset_check_evaluation_record(key)
    assert (
        record and record.event and record.event.asset_check_evaluation and record.event.asset_check_evaluation.passed
    )
    load("a", "b", "c")
    assert f"! {check}: 3 rows, 1 more than accepted" in in_columns(200, "status")
    in_columns(200, "accept", check, "5")
    assert f"✓ {check}: 3 rows, accepted up to 5" in in_columns(200, "status")
    assert "no violating row is accepted" in in_columns(200, "accept", check, "0")
    assert f"! {check}: 3 rows\n" in in_columns(200, "status")


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("segments.match_scores", "reports an error in the figures, which cannot be accepted"),
        ("segments.no_such_rule", "There is no check segments.no_such_rule. The checks: "),
        ("raw_invoices.no_line_is_rejected' or true", "There is no check raw_invoices.no_line_is_rejected' or true"),
    ],
)
def test_what_cannot_be_accepted(built: Warehouse, check: str, reason: str) -> None:
    """An error stays one, however often it is seen; a slip of the pen accepts nothing."""
    result = lgs("accept", check)
    assert result.exit_code == 1
    assert reason in " ".join(result.stderr.split())
    assert built.rows("select * from accepted_checks") == []


def test_what_the_readme_says_makes_a_reader(built: Warehouse, tmp_path: Path) -> None:
    """Run as copied, it creates a role and prints an address that finds the tables and can change none."""
    section = (places.ROOT / "README.md").read_text().partition("Others connect with a role")[2]
    recipe = section.partition("```sh\n")[2].partition("```")[0]
    (tmp_path / ".venv").symlink_to(sys.prefix)
    try:
        done = subprocess.run(["bash", "-ec", recipe], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (password,) = re.findall("password '([^']+)'", recipe)
        with psycopg.connect(done.stdout.splitlines()[-1], password=password, autocommit=True) as reader:
            assert reader.execute("select sum(customers) from segment_summary").fetchone() == (20,)
            for change in ("delete from segments", "drop table segments", "create table lgs.mine ()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(change.encode())
    finally:
        with built.engine.connect() as connection:
            connection.exec_driver_sql("drop role if exists ana")
            connection.commit()


@pytest.mark.usefixtures("one_chart")
def test_without_a_dump_the_demo_is_made(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first run with nothing at hand has something to show; its charts say that it is invented."""
    leave_few_tables(monkeypatch.setattr, tables=FEW | sources("country_charts"))
    monkeypatch.setattr(runner, "write_demo_dump", partial(write_demo_dump, lines=6_000))
    result = lgs("run")
    assert result.exit_code == 0, result.output
    assert "demo-retail.sql.gz" in result.output
    assert len(warehouse.rows("select * from segment_summary where customers > 0")) == 10
    (chart,) = warehouse.rows("select svg from country_charts")
    assert "SYNTHETIC invoice lines" in chart.svg


def test_charts_are_written_as_files(built: Warehouse, tmp_path: Path) -> None:
    """Each in both forms, in the order of the report."""
    assert lgs("charts", str(tmp_path / "out")).exit_code == 0
    pngs, svgs = (sorted((tmp_path / "out").glob(f"*.{form}")) for form in ("png", "svg"))
    assert [file.stem for file in pngs] == [file.stem for file in svgs]
    assert [file.name[:2] for file in pngs] == [
        f"{position:02}" for position in range(1, len(built.rows("select name from charts")) + 1)
    ]
    assert all(file.read_bytes()[1:4] == b"PNG" for file in pngs)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("run", "/nowhere/retail.sql"), "no such file"),
        (("run", "--chart-cutoff", "2"), "chart_cutoff"),
        (("run", "--snapshot-date", "soon"), "snapshot_date"),
        (("charts", "/tmp"), "materialize the asset charts first"),
        (("pull",), "LGS_SOURCE_URL is not set"),
    ],
)
def test_a_failure_is_one_reason_and_exit_code_1(database: str, arguments: tuple[str, ...], reason: str) -> None:
    """No traceback for what a person can mend."""
    result = lgs(*arguments)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("few_tables")
def test_a_forced_run_opens_few_connections(built: Warehouse) -> None:
    """At most ten, whatever the number of steps: a server allows a hundred, and others work with it."""

    def sessions() -> int:
        (row,) = built.rows("select sessions from pg_stat_database where datname = current_database()")
        return int(row.sessions)

    before = sessions()
    assert lgs("run", "--force").exit_code == 0
    assert 1 <= sessions() - before <= 10


@pytest.mark.usefixtures("few_tables")
def test_pull_brings_production_up_to_date(
    warehouse: Warehouse, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Lines go from the source's table into every table here, all of them or new ones; without any, nothing is done."""
    shop = Shop(make_database())
    monkeypatch.setenv("LGS_SOURCE_URL", shop.url)
    shop.make_table()
    empty = lgs("pull")
    assert (empty.exit_code, empty.output) == (0, "Nothing new in the table retail.\n")
    load_lines(warehouse, tmp_path, [Line("1", invoice_date="2011-03-20 10:00:00")])
    shop.sell(*(Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i:02} 10:00:00") for i in range(1, 21)))
    everything = lgs("pull", "--everything")
    assert everything.exit_code == 0, everything.output
    assert "Pulled 20 lines: pulled-everything.sql.gz" in everything.output
    assert f"Loaded pulled-everything.sql.gz; rebuilt {len(FEW - {'raw_invoices'})} tables" in everything.output
    shop.sell(Line("21", customer_id=121, invoice_date="2011-03-19 10:00:00"))
    for pulled, then in (("Pulled 5 lines: ", "Loaded pulled-2011-03-17.sql.gz"), ("Nothing new", "is up to date")):
        again = lgs("pull")
        assert again.exit_code == 0, again.output
        assert pulled in again.output
        assert then in again.output
    assert warehouse.rows("select sum(customers)::int as customers from segment_summary") == [{"customers": 21}]


def test_a_bad_dump_leaves_the_good_state(built: Warehouse, tmp_path: Path) -> None:
    """The reason names file, line, column and value; tables and ledger are as before; the next good run works."""
    before = state_of(built)
    good = shutil.copy2(Path(Configuration.read().inbox_location) / "march.sql", tmp_path)
    bad = write_dump(tmp_path / "bad" / "march.sql", [Line(), Line(quantity="seven")])
    result = lgs("run", str(bad))
    assert result.exit_code == 1
    reason = " ".join(result.stderr.split())
    assert "march.sql: 1 of 2 lines cannot be read" in reason
    assert "line 3, column quantity" in reason
    assert "seven" in reason
    assert state_of(built) == before
    assert lgs("run", str(good)).exit_code == 0
    assert state_of(built) == before


def test_a_figure_that_fails_fails_alone_and_is_told(built: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on with every table that does not need it, and ends with the reason and what was left as it was."""
    before = state_of(built)
    first = families()[0]
    assert "invoice_amount_statistics" in first.reads
    due = outdated(built_specs(), Settings(chart_cutoff=0.8, pair_support=50), built)
    assert {first.table, "product_pairs", "product_charts", "charts"} <= set(due)

    def fail(**tables: Any) -> Any:
        raise ContractError("there is nothing to draw")

    settings = ("--chart-cutoff", "0.8", "--pair-support", "50")
    with monkeypatch.context() as patch:
        patch.setattr(first, "charts", [replace(first.charts[0], draw=fail)])
        result = lgs("run", *settings)
    assert result.exit_code == 1
    reason = " ".join(result.stderr.split())
    assert "there is nothing to draw" in reason
    assert f"Not rebuilt: {first.table}, charts. lgs run tries again." in reason
    changed = {row["table_name"] for row in state_of(built) if row not in before}
    assert changed == set(due) - {first.table, "charts"}
    assert lgs("run", *settings).exit_code == 0


@pytest.mark.usefixtures("few_tables")
def test_one_bad_dump_holds_up_no_other(warehouse: Warehouse) -> None:
    """Of several in the inbox, the good ones are loaded and used downstream; the bad one sets the exit code."""
    inbox = Path(Configuration.read().inbox_location)
    write_dump(inbox / "a.sql", [Line(quantity="seven")])
    write_dump(inbox / "b.sql", [Line()])
    write_dump(inbox / "c.sql", [Line("c")])
    result = lgs("run")
    assert result.exit_code == 1
    assert "a.sql: 1 of 1 lines cannot be read" in " ".join(result.stderr.split())
    assert [row.dump for row in warehouse.rows("select distinct dump from clean_invoices order by 1")] == [
        "b.sql",
        "c.sql",
    ]
    assert warehouse.rows("select * from segment_summary where customers > 0")
    with dagster_instance(Configuration.read()) as instance:
        jobs = [record.dagster_run.job_name for record in instance.get_run_records(ascending=True)]
    assert jobs == ["ingest_many", "ingest", "refresh"]  # the second shows what is wrong with the bad one


@pytest.mark.usefixtures("few_tables")
def test_a_failed_check_is_exit_code_3_each_time(warehouse: Warehouse, tmp_path: Path) -> None:
    """A blocking check shows its finding, and the second run is no way around it: nothing is built on the scores."""
    dump = write_dump(tmp_path / "one_day.sql", [Line(str(i), customer_id=100 + i) for i in range(9)])
    for _ in range(2):
        result = lgs("run", str(dump))
        assert result.exit_code == 3, result.output
        assert "rfm_scores.recency_is_not_constant: 1 row\n" in result.output
        assert "Traceback" not in result.output
        published = {row.table_name for row in warehouse.rows("select table_name from publications")}
        assert "rfm_scores" in published
        assert not published & {"segments", "segment_summary"}


def test_a_warehouse_of_a_newer_version_is_told(warehouse: Warehouse, dump: Path) -> None:
    """There is a reason and a remedy, not an error from SQL."""
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("insert into migrations values ('9999_later', now())")
    result = lgs("run", str(dump))
    assert result.exit_code == 1
    assert "made by a newer version of the platform" in " ".join(result.stderr.split())


def test_demo_dump_writes_what_was_asked_for(tmp_path: Path) -> None:
    """Size and place are the caller's."""
    target = tmp_path / "demo.sql.gz"
    assert lgs("demo-dump", str(target), "--lines", "1500").exit_code == 0
    data = gzip.decompress(target.read_bytes()).split(b"FROM stdin;\n")[1].split(b"\n\\.")[0]
    assert abs(data.count(b"\n") + 1 - 1500) <= 30


def test_psql_finds_the_tables(warehouse: Warehouse) -> None:
    """The program of the wheel, with the database, the password and the schema set; its exit code is passed on."""
    command = [sys.executable, "-c", "from lgs_assets.command.cli import app; app()", "psql", "-Atc"]
    good = subprocess.run(
        [*command, "select count(*) from dumps"], capture_output=True, text=True, env=os.environ.copy()
    )
    assert (good.returncode, good.stdout.strip()) == (0, "0"), good.stderr
    assert subprocess.run([*command, "select * from nothing"], capture_output=True).returncode == 1


def test_stop_without_a_server_says_so() -> None:
    """Nothing to stop is not a failure."""
    result = lgs("stop")
    assert (result.exit_code, result.output.strip()) == (0, "PostgreSQL was not running.")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lgs:hush@127.0.0.1:1/lgs",
        "postgresql://127.0.0.1:1/lgs?user=lgs&password=hush",
        "postgresql://lgs:a@hush@127.0.0.1:1/lgs",
        "postgresql://lgs:a@b/hush@127.0.0.1:1/lgs",
        "postgresql://lgs:a@b?hush@127.0.0.1:1/lgs",
        "postgresql://lgs:a@b:hush@127.0.0.1:1/lgs",
        "postgresql://lgs:hush",
        "lgs:hush@127.0.0.1/lgs",
    ],
)
@pytest.mark.parametrize("command", ["status", "psql"])
def test_no_error_shows_the_password_of_the_database(monkeypatch: pytest.MonkeyPatch, url: str, command: str) -> None:
    """Neither if the database does not answer, nor if the URL is invalid; not in a traceback, either."""
    monkeypatch.setenv("LGS_DATABASE_URL", url)
    result = lgs(command)
    shown = result.output + "".join(traceback.format_exception(result.exception)) + repr(Warehouse(url))
    assert result.exit_code in (1, 2)
    assert "hush" not in shown


@pytest.mark.parametrize(
    "form", ["postgresql://{user}:{password}@{where}", "postgresql://{where}?user={user}&password={password}"]
)
def test_psql_is_told_the_password_where_nobody_sees_it(
    database: str, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The arguments of a process are for every account to read; psql connects all the same, with every parameter."""
    url = urlsplit(database)
    password = url.password or ""
    where = f"{url.hostname}:{url.port}{url.path}"
    separator = "&" if "?" in form else "?"
    given = form.format(user=url.username, password=password, where=where)
    monkeypatch.setenv("LGS_DATABASE_URL", f"{given}{separator}application_name=who&keepalives_idle=7")
    query = "select current_setting('application_name'), current_setting('search_path')"
    with subprocess.Popen(
        [Path(sys.executable).with_name("lgs"), "psql", "-XAt", "-c", query, "-f", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as lgs_process:
        assert lgs_process.stdout and lgs_process.stdout.readline() == "who|lgs,public\n"
        family = [psutil.Process(lgs_process.pid), *psutil.Process(lgs_process.pid).children(recursive=True)]
        arguments = [word for process in family for word in process.cmdline()]
        lgs_process.communicate("select 1", timeout=PATIENCE_SECONDS)
    assert any("psql" in word for word in arguments[2:])
    assert [word for word in arguments if password in word] == []


@pytest.mark.usefixtures("few_tables")
def test_what_the_platform_keeps_is_for_its_account_alone(tmp_path: Path, dump: Path) -> None:
    """Dumps, logs, Dagster's databases and PostgreSQL's own files; also where an earlier version was less careful."""
    home = tmp_path / "lgs"
    home.mkdir(mode=0o755)
    dump.chmod(0o644)
    before = os.umask(0o022)
    try:
        assert lgs("run", str(dump)).exit_code == 0
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    found = [home, *home.rglob("*")]
    assert {"march.sql.gz", "dagster.yaml", "server.log", "url", "PG_VERSION"} <= {path.name for path in found}
    assert [path for path in found if path.lstat().st_mode & 0o077 and not path.is_symlink()] == []
