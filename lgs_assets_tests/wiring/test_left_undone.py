"""What the sensors ask for after runs were killed, tick by tick, on a real instance and a real warehouse."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring import left_undone
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.jobs import load_dumps
from lgs_assets.wiring.left_undone import unbuilt
from lgs_assets.wiring.partitions import RAW_INVOICES
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
        write_dump(inbox / "march.sql", LINES)
        (inbox / "march.sql.done").touch()

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
        self.cursor = result.cursor
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
    """However often: Dagster heeds a run key once, and each loss has its own. A run that succeeds leaves nothing."""
    shop.load()
    for _ in range(3):
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


def test_what_is_killed_without_end_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a run that takes more memory than there is: until some run ends by itself."""
    monkeypatch.setattr(left_undone, "KILLED_IN_A_ROW", 2)
    shop.load()
    shop.lose(shop.run_of("refresh"))
    assert len(shop.requested()) == 1
    shop.lose(shop.run_of("refresh"))
    assert shop.requested() == {}
    shop.load()
    assert len(shop.requested()) == 1


@pytest.mark.parametrize("job", ["ingest", "ingest_many"])
def test_a_file_whose_load_was_killed_is_requested_once_for_each_loss(shop: Shop, job: str) -> None:
    """At once and under another key, which Dagster has not seen; but not while Dagster starts its run once more."""
    (request,) = shop.loads_requested()
    keys = {request.run_key}

    def run() -> dg.DagsterRun:
        if job == "ingest":
            return shop.run_of(job, tags={"dagster/partition": "march.sql"})
        return shop.run_of(job, run_config={"ops": {load_dumps.name: {"config": {"dumps": ["march.sql"]}}}})

    for _ in range(2):
        shop.lose(run(), is_retried=True)
        assert shop.loads_requested() == []
        shop.lose(run())
        (request,) = shop.loads_requested()
        assert request.partition_key == "march.sql"
        keys.add(request.run_key)
        assert shop.loads_requested() == []
    assert len(keys) == 3


def test_a_file_that_was_refused_or_loaded_is_not_requested_again(shop: Shop) -> None:
    """A failed load stays failed; a loaded dump is current, whatever was killed."""
    assert len(shop.loads_requested()) == 1
    assert not shop.load(tables=None)
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
