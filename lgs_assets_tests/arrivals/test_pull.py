"""New lines in production land in the inbox: complete, once, and so that loading them gives the source's state."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.arrivals.pull import Pull, PullUnderWayError, pull_new_lines
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.builders import Line, MakeDatabase, build_tables, resources
from lgs_assets_tests.sources.mariadb import MariaDB

EVERYTHING = "pulled-everything.sql.gz"
HISTORY = [
    Line("1", invoice_date="2011-03-01 10:00:00"),
    Line("2", invoice_date="2011-03-07 09:00:00"),
    Line("3", invoice_date="2011-03-09 12:50:00"),
]


@pytest.fixture
def source(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop, with some history in its table, to which LGS_SOURCE_URL points. Nobody waits before an attempt."""
    monkeypatch.setenv("LGS_SOURCE_URL", shop.url)
    monkeypatch.setattr("lgs_assets.arrivals.pull.PAUSES_SECONDS", (0, 0))
    shop.make_table()
    shop.sell(*HISTORY)
    return shop


def pulled(warehouse: Warehouse, *, warn: Callable[[str], None] = pytest.fail, **options: Any) -> Pull:
    return pull_new_lines(resources().source, resources().inbox, warehouse, warn=warn, **options)


def pull_and_load(warehouse: Warehouse, **options: Any) -> Pull:
    done = pulled(warehouse, **options)
    load_dump(warehouse, DumpFile(Path(resources().inbox.path_of(done.dump).path), done.dump))
    return done


def in_inbox() -> list[str]:
    """Every file in the inbox, hidden ones as well, and what a pull may have left elsewhere."""
    folders = [Path(Configuration.read().inbox_location), Configuration.read().state / "pull"]
    return sorted(file.name for folder in folders if folder.exists() for file in folder.iterdir() if file.is_file())


def clean_invoices(warehouse: Warehouse) -> list[tuple[object, ...]]:
    """The lines that count, without the dump that they came in."""
    build_tables(warehouse, "clean_invoices")
    columns = [row.name for row in warehouse.rows(
        "select attname as name from pg_attribute where attrelid = 'clean_invoices'::regclass and attnum > 0 "
        "and attname not in ('dump', 'line_number')"
    )]  # fmt: skip
    return sorted(
        (tuple(row.values()) for row in warehouse.rows(f"select {', '.join(columns)} from clean_invoices")), key=str
    )


def test_first_everything_then_what_is_new(source: Shop, warehouse: Warehouse) -> None:
    """From midnight three days before the last loaded line; the pulls of a day are one dump, a new day is another."""
    assert pull_and_load(warehouse) == Pull(EVERYTHING, 3, is_new=True)
    assert pull_and_load(warehouse) == Pull("pulled-2011-03-06.sql.gz", 2, is_new=True)
    source.sell(Line("4", invoice_date="2011-03-09 23:00:00"))
    assert pull_and_load(warehouse) == Pull("pulled-2011-03-06.sql.gz", 3, is_new=True)
    source.sell(Line("5", invoice_date="2011-03-11 00:00:00"))
    assert pull_and_load(warehouse) == Pull("pulled-2011-03-06.sql.gz", 4, is_new=True)
    assert pulled(warehouse) == Pull("pulled-2011-03-08.sql.gz", 3, is_new=True)
    assert in_inbox() == ["pulled-2011-03-06.sql.gz", "pulled-2011-03-08.sql.gz", EVERYTHING]


def test_nothing_new_lands_nothing(source: Shop, warehouse: Warehouse) -> None:
    """The very same lines are not a new version of their dump, whether it is still in the inbox or only loaded."""
    pull_and_load(warehouse)
    assert pulled(warehouse).is_new
    path = Path(Configuration.read().inbox_location) / "pulled-2011-03-06.sql.gz"
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert pulled(warehouse) == Pull(path.name, 2, is_new=False)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    load_dump(warehouse, DumpFile(path, path.name))
    path.unlink()
    assert pulled(warehouse) == Pull(path.name, 2, is_new=False)
    source.execute("delete from retail")
    assert pulled(warehouse) == Pull(path.name, 0, is_new=False)
    assert in_inbox() == [EVERYTHING]


def test_late_lines_come_to_the_same_as_a_full_dump(
    source: Shop, warehouse: Warehouse, make_database: MakeDatabase, tmp_path: Path
) -> None:
    """Lines before the last one, lines of an old invoice, corrections: once loaded, the result is right."""
    pull_and_load(warehouse)
    late = [
        [Line("4", invoice_date="2011-03-08 10:00:00"), Line("1", invoice_date="2011-03-09 11:00:00", quantity=5)],
        [
            Line("2", invoice_date="2011-03-07 09:00:00", stock_code="LATE"),
            Line("5", invoice_date="2011-03-12 10:00:00"),
        ],
        [Line("6", invoice_date="2011-03-09 08:00:00"), Line("6", invoice_date="2011-03-09 08:00:00")],
    ]
    for lines in late:
        source.sell(*lines)
        pull_and_load(warehouse)
    source.execute("update retail set quantity = 9 where invoice_no = '5'")
    pull_and_load(warehouse)
    other = Warehouse(make_database())
    other.prepare()
    path = Path(Configuration.read().inbox_location) / "pulled-2011-03-09.sql.gz"
    assert path.exists()
    (Path(Configuration.read().inbox_location) / EVERYTHING).unlink()
    done = pulled(warehouse, everything=True)
    assert done == Pull(EVERYTHING, 9, is_new=True)
    load_dump(other, DumpFile(Path(Configuration.read().inbox_location) / EVERYTHING, EVERYTHING))
    assert clean_invoices(warehouse) == clean_invoices(other)
    assert len(clean_invoices(other)) == 9
    other.engine.dispose()


def loaded(last: str, *, dump: str = "x.sql", at: str = "2011-12-31 12:00") -> LoadedDump:
    moments = {"first_invoice_at": datetime(2009, 12, 1), "last_invoice_at": datetime.fromisoformat(last)}
    return LoadedDump(
        dump=dump,
        sha256="",
        format="",
        facts={},
        bytes=1,
        lines=1,
        rejected=0,
        loaded_at=datetime.fromisoformat(at).replace(tzinfo=UTC),
        written_at=datetime.fromisoformat(at).replace(tzinfo=UTC),
        file_version="",
        run="",
        reader="",
        **moments,
    )


@pytest.mark.parametrize(
    ("dumps", "since"),
    [
        ([], None),
        ([loaded("2011-12-09 12:50", dump=DEMO_DUMP)], None),
        ([loaded("2011-12-09 12:50"), loaded("2011-12-01 00:00")], "2011-12-06"),
        ([loaded("2011-12-31 12:00", dump=DEMO_DUMP), loaded("2011-12-09 12:50")], "2011-12-06"),
        ([loaded("2111-12-09 12:50", at="2011-12-10 02:00"), loaded("2011-12-01 00:00")], "2011-12-07"),
        ([loaded("2011-07-01 00:10", at="2011-06-30 23:20")], "2011-06-28"),
    ],
    ids=["nothing", "only the demo", "the latest line", "not the demo's", "a line of the next century", "summer time"],
)
def test_where_a_pull_begins(dumps: list[LoadedDump], since: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three days before the last known line; a line dated ahead counts as of the moment when it was loaded."""
    monkeypatch.setenv("LGS_SOURCE_URL", "postgresql://shop.example/sales")
    source = resources().source
    assert source and source.since(dumps) == (datetime.fromisoformat(since) if since else None)


def test_the_overlap_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """In whole days, none at all among them."""
    monkeypatch.setenv("LGS_SOURCE_URL", "postgresql://shop.example/sales")
    for days, since in (("0", "2011-12-09"), ("10", "2011-11-29")):
        monkeypatch.setenv("LGS_SOURCE_OVERLAP_DAYS", days)
        source = resources().source
        assert source and source.since([loaded("2011-12-09 12:50")]) == datetime.fromisoformat(since)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of PyMySQL, on its way out
def test_a_source_that_dies_in_mid_pull_is_asked_again(source: Shop, warehouse: Warehouse, mariadb: MariaDB) -> None:
    """Killed while its lines stream, and back for the next attempt: the dump is whole, and lands once."""
    source.execute("delete from retail")
    source.sell_many(150_000)
    warnings: list[str] = []
    told: list[int] = []

    def die(lines: int) -> None:
        told.append(lines)
        if len(told) == 1:
            break_off(source, mariadb)

    def revive(text: str) -> None:
        warnings.append(text)
        if not mariadb.is_up:
            mariadb.start()

    assert pulled(warehouse, progress=die, warn=revive) == Pull(EVERYTHING, 150_000, is_new=True)
    gc.collect()
    assert len(warnings) == 1
    assert "Trying again in 0 s" in warnings[0]
    assert in_inbox() == [EVERYTHING]
    load_dump(warehouse, DumpFile(Path(resources().inbox.path_of(EVERYTHING).path), EVERYTHING))
    assert warehouse.rows("select count(*) as lines from raw_invoices") == [{"lines": 150_000}]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_source_that_dies_for_good_leaves_nothing(source: Shop, warehouse: Warehouse, mariadb: MariaDB) -> None:
    """After the last attempt: the reason, an inbox as before, and nothing half-done anywhere."""
    pull_and_load(warehouse)
    source.sell_many(150_000)
    before = (Path(Configuration.read().inbox_location) / EVERYTHING).read_bytes()
    warnings: list[str] = []
    try:
        with pytest.raises(UnavailableError):
            pulled(warehouse, everything=True, progress=lambda lines: break_off(source, mariadb), warn=warnings.append)
    finally:
        if not mariadb.is_up:
            mariadb.start()
        gc.collect()
    assert len(warnings) == 2
    assert in_inbox() == [EVERYTHING]
    assert (Path(Configuration.read().inbox_location) / EVERYTHING).read_bytes() == before


def break_off(source: Shop, mariadb: MariaDB) -> None:
    """Ends what serves the pull without a word: the backend of PostgreSQL, all of MariaDB."""
    if source.kind == "mariadb":
        mariadb.kill()
    else:
        source.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_what_a_killed_pull_leaves_goes_with_the_next(
    make_database: MakeDatabase, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is alive no other pull begins; kill -9 frees its lock, and its half a dump is never seen."""
    shop = Shop(make_database())
    shop.make_table()
    shop.sell_many(20_000)
    monkeypatch.setenv("LGS_SOURCE_URL", shop.url)
    script = (
        "import sys, time; from lgs_assets.arrivals.pull import *\n"
        "from lgs_assets_tests.builders import resources\n"
        "ours = resources()\n"
        "def dawdle(lines): print(lines, flush=True); time.sleep(60)\n"
        "pull_new_lines(ours.source, ours.inbox, ours.warehouse, warn=print, progress=dawdle)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "5000\n"
        with pytest.raises(PullUnderWayError, match="under way"):
            pulled(warehouse)
        os.kill(process.pid, signal.SIGKILL)
    assert in_inbox() == [EVERYTHING]  # in the workshop
    assert not Path(Configuration.read().inbox_location).exists()
    assert pulled(warehouse).lines == 20_000
    assert in_inbox() == [EVERYTHING]


def test_without_a_source_there_is_no_pull(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset or, as Compose leaves it, empty."""
    with pytest.raises(LgsError, match="LGS_SOURCE_URL is not set"):
        pulled(warehouse)
    monkeypatch.setenv("LGS_SOURCE_URL", "")
    with pytest.raises(LgsError, match="LGS_SOURCE_URL is not set"):
        pulled(warehouse)


# As Dagster runs it.


def test_the_job_and_its_schedule_are_there_with_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nightly by default, running by default, in the retailer's time zone; without a source there is neither."""

    def schedules() -> dict[str, tuple[str, str | None, bool]]:
        defs = build_definitions(Configuration.read())
        dg.Definitions.validate_loadable(defs)
        return {
            s.name: (str(s.cron_schedule), s.execution_timezone, s.default_status == dg.DefaultScheduleStatus.RUNNING)
            for s in defs.schedules or []
            if isinstance(s, dg.ScheduleDefinition)
        }

    assert set(schedules()) == {"nightly_refresh", "daily_retention"}
    assert "pull" not in {job.name for job in build_definitions(Configuration.read()).jobs or []}
    monkeypatch.setenv("LGS_SOURCE_URL", "mssql://lgs@shop/sales")
    assert schedules()["scheduled_pull"] == ("0 2 * * *", "Europe/London", True)
    assert "pull" in {job.name for job in build_definitions(Configuration.read()).jobs or []}
    monkeypatch.setenv("LGS_SOURCE_CRON", "*/5 * * * *")
    assert schedules()["scheduled_pull"][0] == "*/5 * * * *"
    monkeypatch.setenv("LGS_SOURCE_CRON", "at night")
    with pytest.raises(LgsError, match=r"LGS_SOURCE_CRON: .*'at night'"):
        build_definitions(Configuration.read())


def test_the_job_lands_a_dump_and_tells_no_password(
    source: Shop, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run says what it pulled; no event of it, failed or not, holds the URL."""
    with dg.instance_for_test() as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("pull")
        result = job.execute_in_process(instance=instance)
        (output,) = (event for event in result.all_events if event.is_successful_output)
        metadata = output.step_output_data.metadata
        assert (metadata["dump"].value, metadata["lines"].value) == (EVERYTHING, 3)
        assert in_inbox() == [EVERYTHING]
        monkeypatch.setenv(
            "LGS_SOURCE_URL", source.url.replace("@", ":S3cret@" if source.kind == "mariadb" else "S3cret@")
        )
        failed = []
        for table in ("retail", "nothing"):
            monkeypatch.setenv("LGS_SOURCE_TABLE", table)
            job = build_definitions(Configuration.read()).resolve_job_def("pull")
            failed.append(job.execute_in_process(instance=instance, raise_on_error=False))
        assert [result.success for result in failed] == [False, False]
        told = "\n".join(str(entry) for run in (result, *failed) for entry in instance.all_logs(run.run_id)) + str(
            [record.dagster_run for record in instance.get_run_records()]
        )
        assert "S3cret" not in told
        assert source.url not in told
        assert "***" in told


def test_a_pull_under_way_is_no_failure_of_the_next(source: Shop, warehouse: Warehouse) -> None:
    """Every few minutes, one that takes long lets the others end at once, and well."""
    job = build_definitions(Configuration.read()).resolve_job_def("pull")
    others: list[bool] = []
    done = pulled(warehouse, progress=lambda lines: others.append(job.execute_in_process().success))
    assert others == [True]
    assert done.is_new
