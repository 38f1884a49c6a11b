"""What the sensors ask for after runs were killed, tick by tick, on a real instance and a real warehouse."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.checks.findings import Finding, record
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring import left_undone
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.jobs import load_dumps
from lgs_assets.wiring.left_undone import KILLS, unbuilt
from lgs_assets.wiring.refusals import refusals
from lgs_assets.wiring.sensors import inbox_sensor, lost_runs
from lgs_assets_tests.builders import FEW, Line, resources, write_dump

TABLES = FEW - {RAW_INVOICES}
LINES = [Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i + 1:02} 10:00:00") for i in range(20)]
WILL_RETRY = "dagster/will_retry"


class Shop:
    """An inbox with one dump, a warehouse, and the sensors of a UI."""

    def __init__(self, instance: dg.DagsterInstance, warehouse: Warehouse, inbox: Path) -> None:
        self.instance, self.warehouse = instance, warehouse
        self.definitions = build_definitions(Configuration.read())
        self.cursor: str | None = None
        self.told = ""
        self.inbox = inbox
        self.receive("march.sql", LINES)

    def receive(self, name: str, lines: list[Line]) -> None:
        """Puts a dump into the inbox, and the marker that it is complete."""
        write_dump(self.inbox / name, lines)
        (self.inbox / f"{name}.done").touch()

    def load(self, **broken: Any) -> str:
        """Loads the dump, as a command does, or fails for want of a resource; returns the run if it succeeds."""
        self.instance.add_dynamic_partitions("dumps", ["march.sql"])
        job = build_definitions(Configuration.read(), **broken).resolve_job_def("ingest")
        run = job.execute_in_process(instance=self.instance, partition_key="march.sql", raise_on_error=False)
        return run.run_id if run.success else ""

    def refresh(self, **broken: Any) -> dg.ExecuteInProcessResult:
        """A run that rebuilds all tables, or fails for want of a resource."""
        job = build_definitions(Configuration.read(), **broken).resolve_job_def("refresh")
        return job.execute_in_process(instance=self.instance, raise_on_error=False)

    def lose(self, run: dg.DagsterRun, *, is_retried: bool = False) -> str:
        """Fails a run as the platform and Dagster do when its process is gone."""
        self.instance.report_run_failed(run)
        self.instance.add_run_tags(run.run_id, {WILL_RETRY: str(is_retried).lower()})
        return run.run_id

    def run_of(self, job: str, **arguments: Any) -> dg.DagsterRun:
        """A run that has only been created."""
        return self.instance.create_run_for_job(self.definitions.resolve_job_def(job), **arguments)

    def context(self) -> dg.SensorEvaluationContext:
        return dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources=vars(resources()), definitions=self.definitions
        )

    def requested(self) -> dict[str | None, set[str]]:
        """The tables that `lost_runs` requests, by the key of the request."""
        result = lost_runs(self.context())
        assert isinstance(result, dg.SensorResult)
        self.told = str(result.skip_reason)
        for request in result.run_requests or []:
            assert RAW_INVOICES in {key.asset_key.path[-1] for key in request.asset_check_keys or []}
        return {
            request.run_key: {key.path[-1] for key in request.asset_selection or []}
            for request in result.run_requests or []
        }

    def loads_requested(self) -> list[dg.RunRequest]:
        """What a tick of the inbox sensor requests."""
        result = inbox_sensor(self.context())
        assert isinstance(result, dg.SensorResult)
        self.cursor, self.told = result.cursor, str(result.skip_reason)
        return [*(result.run_requests or [])]


@pytest.fixture
def shop(warehouse: Warehouse, few_tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with dagster_instance(Configuration.read()) as instance:
        yield Shop(instance, warehouse, tmp_path / "lgs" / "inbox")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has run for a long time."""
    monkeypatch.setattr(left_undone, "QUIET", timedelta(0))


def test_tables_of_a_killed_run_are_requested_once_for_each_loss(shop: Shop) -> None:
    """Dagster heeds a run key once, and each loss has its own. A run that succeeds leaves nothing."""
    shop.load()
    for _ in range(KILLS - 1):
        lost = shop.lose(shop.run_of("refresh"))
        assert [shop.requested() for _ in range(2)] == [{lost: TABLES}] * 2
    assert shop.refresh().success
    assert shop.requested() == {}


def test_only_those_tables_are_requested_that_are_outdated(shop: Shop) -> None:
    """What the killed run had built is current; what a run after it was to build is no longer its work."""
    shop.load()
    assert shop.refresh().success
    shop.lose(shop.run_of("refresh"))
    assert shop.requested() == {}
    with shop.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from publications where table_name in ('segments', 'rfm_scores')")
    (tables,) = shop.requested().values()
    assert {"segments", "rfm_scores"} <= tables < TABLES
    shop.run_of("refresh", asset_selection={dg.AssetKey("rfm_scores")})
    assert shop.requested() == {next(iter(shop.requested())): tables - {"rfm_scores"}}


def test_a_run_that_is_at_work_or_started_once_more_is_waited_for(shop: Shop) -> None:
    """Otherwise two runs would build the same tables."""
    shop.load()
    lost = shop.lose(shop.run_of("refresh"), is_retried=True)
    assert shop.requested() == {}
    shop.instance.add_run_tags(lost, {WILL_RETRY: "false"})
    assert shop.requested() == {lost: TABLES}
    plan = {"ops": {"send_plan": {"config": {"plan": 1}}}}
    shop.instance.report_run_canceling(shop.run_of("apply_plan", run_config=plan))  # builds nothing, may take hours
    assert shop.requested() == {lost: TABLES}
    shop.instance.report_run_canceling(shop.run_of("ingest"))
    assert shop.requested() == {}


@pytest.mark.usefixtures("quiet")
def test_what_failed_by_itself_stays_failed(shop: Shop) -> None:
    """Asking again would never end."""
    shop.load()
    assert not shop.refresh(tables=None).success
    assert unbuilt(shop.instance, Configuration.read().settings, shop.warehouse)
    assert shop.requested() == {}


def test_tables_are_requested_after_a_load_that_nothing_followed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a command killed in between, or during its load. Once it is quiet: until then automation may ask."""
    assert shop.requested() == {}
    load = shop.load()
    assert shop.requested() == {}
    monkeypatch.setattr(left_undone, "QUIET", timedelta(0))
    assert [shop.requested() for _ in range(2)] == [{load: TABLES}] * 2
    assert not shop.refresh(tables=None).success
    assert shop.requested() == {}


@pytest.mark.usefixtures("quiet")
def test_after_a_load_nothing_is_requested_while_automation_is_stopped(shop: Shop) -> None:
    """Whoever stops it in the UI wants nothing rebuilt. What was killed is requested: somebody had asked for it."""
    load = shop.load()
    assert shop.requested() == {load: TABLES}
    stop = [sys.executable, "-m", "dagster", "sensor", "stop", "keep_current", "-m", "lgs_assets.definitions"]
    subprocess.run(stop, check=True, env=os.environ | {"DAGSTER_HOME": shop.instance.root_directory})
    assert shop.requested() == {}
    lost = shop.lose(shop.run_of("refresh"))
    assert shop.requested() == {lost: TABLES}


@pytest.mark.usefixtures("quiet")
def test_nothing_is_requested_on_an_input_that_failed_a_blocking_check(shop: Shop) -> None:
    """Automation holds it up, too; each load would add one more failed run. Until the input is written again."""
    load = shop.load()
    record(shop.warehouse, [Finding(RAW_INVOICES, "lines_match_ledger", "blocking", 1, 0)])
    assert shop.requested() == {load: {"segment_playbook"}}  # which has no inputs
    load = shop.load()
    assert shop.requested() == {load: TABLES}
    assert shop.refresh().success
    with shop.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from publications where table_name in ('segments', 'segment_summary')")
    load = shop.load()
    assert shop.requested() == {load: {"segments", "segment_summary"}}
    record(shop.warehouse, [Finding("rfm_scores", "are_quintiles", "blocking", 1, 0)])
    assert shop.requested() == {}


def test_tables_whose_every_run_is_killed_are_given_up(shop: Shop) -> None:
    """Such as one that takes more memory than there is, whatever else ends well in between. Until they are built."""
    shop.load()
    for _ in range(KILLS):
        assert "segments" not in shop.told
        shop.lose(shop.run_of("refresh"))
        shop.load()
        requested = shop.requested()
    assert requested == {}
    assert f"killed {KILLS} times" in shop.told
    assert "segments" in shop.told
    assert shop.refresh().success
    with shop.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from publications where table_name = 'segments'")
    lost = shop.lose(shop.run_of("refresh"))
    assert [*shop.requested()] == [lost]


def test_a_table_that_kills_its_process_takes_no_other_with_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kills are its own: what the runs never came to is still requested, but for what is built on it."""
    shop.load()
    built = shop.refresh()
    ended = [event.step_key for event in built.all_events if event.event_type == dg.DagsterEventType.STEP_START]
    run = shop.instance.get_run_by_id(built.run_id)
    assert run and left_undone._last_step(shop.instance, run) == ended[-1]
    with shop.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from publications")
    monkeypatch.setattr(left_undone, "_last_step", lambda *_: "rfm_history")
    for _ in range(KILLS):
        shop.lose(shop.run_of("refresh"))
        requested = shop.requested()
    (tables,) = requested.values()
    assert {"clean_invoices", "invoice_totals"} <= tables
    assert tables.isdisjoint({"rfm_history", "rfm_scores", "segments"})


def test_a_dump_that_kills_its_process_holds_up_no_other_and_is_given_up(shop: Shop) -> None:
    """Each of the lost ones gets a run of its own. The bad one is told, and requested again once it changes."""
    for name in ("april.sql", "may.sql"):
        shop.receive(name, [Line(name)])
    (together,) = shop.loads_requested()
    shop.lose(shop.run_of("ingest_many", run_config=together.run_config))
    assert {request.partition_key for request in shop.loads_requested()} == {"april.sql", "march.sql", "may.sql"}
    shop.load()  # ends well, which gives the bad one no further attempts
    shop.instance.add_dynamic_partitions("dumps", ["april.sql"])
    for left in reversed(range(KILLS - 1)):
        shop.lose(shop.run_of("ingest", tags={"dagster/partition": "april.sql"}))
        assert [request.partition_key for request in shop.loads_requested()] == ["april.sql"][:left]
    assert shop.loads_requested() == []
    assert f"killed {KILLS} times, so not requested again until the file changes: april.sql" in shop.told
    (refusal,) = refusals(shop.instance)
    assert (refusal.dump, "was killed" in refusal.reason) == ("april.sql", True)
    shop.receive("april.sql", [Line("april"), Line("april")])
    assert [request.partition_key for request in shop.loads_requested()] == ["april.sql"]


@pytest.mark.parametrize("job", ["ingest", "ingest_many"])
def test_a_file_whose_load_was_killed_is_requested_once_for_each_loss(shop: Shop, job: str) -> None:
    """At once and under another key, which Dagster has not seen; but not while Dagster starts its run once more."""
    (request,) = shop.loads_requested()
    keys = {request.run_key}

    def run() -> dg.DagsterRun:
        if job == "ingest":
            return shop.run_of(job, tags={"dagster/partition": "march.sql"})
        return shop.run_of(job, run_config={"ops": {load_dumps.name: {"config": {"dumps": ["march.sql"]}}}})

    for _ in range(KILLS - 1):
        shop.lose(run(), is_retried=True)
        assert shop.loads_requested() == []
        shop.lose(run())
        (request,) = shop.loads_requested()
        assert request.partition_key == "march.sql"
        keys.add(request.run_key)
        assert shop.loads_requested() == []
    assert len(keys) == 3


def test_a_file_that_was_refused_or_loaded_is_not_requested_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed load stays failed; a loaded dump is current, whatever was killed."""
    assert len(shop.loads_requested()) == 1
    assert not shop.load(tables=None)
    assert shop.loads_requested() == []
    with monkeypatch.context() as patch:
        patch.delattr(dg.DagsterInstance, "get_run_records")  # every ten seconds, for as long as the file is there
        assert shop.loads_requested() == []
    shop.load()
    shop.lose(shop.run_of("ingest", tags={"dagster/partition": "march.sql"}))
    assert shop.loads_requested() == []


def test_a_changed_file_whose_load_was_killed_is_looked_at_twice_first(shop: Shop, tmp_path: Path) -> None:
    """It may still be growing, whatever became of the version before."""
    assert len(shop.loads_requested()) == 1
    shop.lose(shop.run_of("ingest", tags={"dagster/partition": "march.sql"}))
    dump = write_dump(tmp_path / "lgs" / "inbox" / "march.sql", [Line()])
    os.utime(dump.with_name("march.sql.done"), (1, 1))
    assert [len(shop.loads_requested()) for _ in range(3)] == [0, 1, 0]
