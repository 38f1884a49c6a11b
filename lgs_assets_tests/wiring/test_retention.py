"""Which runs are deleted, and that Dagster knows all it needs without them; on both kinds of storage."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.wiring.partitions import dumps
from lgs_assets.wiring.retention import delete_old_runs


@dg.asset(partitions_def=dumps)
def loads(context: dg.AssetExecutionContext) -> None:
    """Loads every dump but one."""
    print("what a step prints")
    if context.partition_key == "bad.sql":
        raise dg.Failure("line 7 is cut off")


@dg.asset
def table() -> None:
    """A table."""


@dg.asset_check(asset=table)
def table_holds() -> dg.AssetCheckResult:
    """A check of the table."""
    return dg.AssetCheckResult(passed=True)


@pytest.fixture(params=["sqlite", "postgres"])
def instance(request: pytest.FixtureRequest) -> Iterator[dg.DagsterInstance]:
    overrides = {}
    if request.param == "postgres":
        url = request.getfixturevalue("make_database")().replace("postgresql://", "postgresql+psycopg2://")
        overrides = {"storage": {"postgres": {"postgres_url": url}}}
    with dg.instance_for_test(overrides=overrides) as instance:
        instance.add_dynamic_partitions("dumps", ["good.sql", "bad.sql"])
        yield instance


def run(instance: dg.DagsterInstance, *assets: Any, **options: Any) -> str:
    return dg.materialize([*assets], instance=instance, raise_on_error=False, **options).run_id


def kept(instance: dg.DagsterInstance) -> set[str]:
    return {record.dagster_run.run_id for record in instance.get_run_records()}


def test_the_runs_that_the_present_rests_on_stay(instance: dg.DagsterInstance) -> None:
    """The last run of a table, a check and a dump; for a bad dump, the one that says why."""
    checked = run(instance, table, table_holds)
    rebuilt = run(instance, table)
    good, good_again, bad = (run(instance, loads, partition_key=dump) for dump in ("good.sql", "good.sql", "bad.sql"))
    assert delete_old_runs(instance, finished_before=datetime.now(UTC)) == 1
    assert kept(instance) == {checked, rebuilt, good_again, bad}
    loads_known = instance.fetch_materializations(loads.key, limit=10).records
    assert {record.run_id for record in loads_known} == {good_again}
    assert not list(Path(instance.root_directory).rglob(f"*{good}*"))
    assert list(Path(instance.root_directory).rglob(f"*{good_again}*"))

    last = run(instance, table, table_holds)
    assert delete_old_runs(instance, finished_before=datetime.now(UTC)) == 2
    assert kept(instance) == {last, good_again, bad}
    assert instance.get_materialized_partitions(loads.key) == {"good.sql"}
    latest = instance.get_latest_materialization_event(table.key)
    assert latest and latest.run_id == last
    (failure,) = instance.all_logs(bad, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert "line 7 is cut off" in str(failure.get_dagster_event().event_specific_data)


def test_the_job_keeps_runs_for_as_long_as_the_setting_says() -> None:
    """The runs of the last days stay; an invalid number of days is refused by name."""
    job = build_definitions(Configuration.read(run_retention_days=1)).resolve_job_def("retention")
    with dg.instance_for_test() as instance:
        runs = {run(instance, table) for _ in range(2)}
        done = job.execute_in_process(instance=instance)
        assert done.success and runs < kept(instance)
        with pytest.raises(ValidationError, match="days"):
            job.execute_in_process({"ops": {"delete_runs": {"config": {"days": 0}}}}, instance)
