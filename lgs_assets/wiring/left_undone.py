"""What killed processes left undone: tables that no run is going to rebuild, dumps that none is going to load.

Told by the state of the tables and of the inbox, not by what a process was about to do: so it holds whatever was
killed, and however often. Dagster itself starts a killed run once more, but no second time, and automation asks only
for changes that it has seen happen. What failed by itself has been done, and stays failed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg

from lgs_assets.configuration import Settings
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.jobs import load_dumps
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.partitions import RAW_INVOICES
from lgs_assets.wiring.versions import outdated

QUIET = timedelta(seconds=20)
"""After so long without any run, automation will not ask for what was loaded last: it has looked twice."""
KILLED_IN_A_ROW = 30
"""After so many killed runs, something kills them, such as a lack of memory: asking once more would never end."""
LATEST = 100
"""Failed runs that are looked at for killed loads: one shows within seconds."""

_OF_ITS_OWN = ("STEP_FAILURE", "RUN_EXCEPTION", "JOB_INITIALIZATION_FAILURE")
_AT_WORK = dg.RunsFilter(
    statuses=[
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
)


class Undone(NamedTuple):
    """Tables to rebuild."""

    tables: list[str]
    since: str
    """The runs whose work it was: those that were killed, or the load that nothing followed. The same for the same."""


def unbuilt(instance: dg.DagsterInstance, settings: Settings, warehouse: Warehouse) -> list[str]:
    """The derived tables that a rebuild would change, or that Dagster knows nothing of."""
    specs = built_specs()
    stale = outdated(specs, settings, warehouse)
    records = instance.get_asset_records([spec.key for spec in specs])
    known = {record.asset_entry.asset_key for record in records if record.asset_entry.last_materialization}
    return [
        table
        for spec in specs
        if (table := spec.key.path[-1]) != RAW_INVOICES and (table in stale or spec.key not in known)
    ]


def tables_left_undone(instance: dg.DagsterInstance, settings: Settings, warehouse: Warehouse) -> Undone:
    """The unbuilt tables whose last run was killed for good, or for which no run was made since a dump was loaded.

    None while there is a run at work, which may be about to build them, or if runs are killed without end.
    """
    newest = instance.get_run_records(limit=1, order_by="update_timestamp")
    if not newest or instance.get_runs_count(_AT_WORK) or killed_without_end(instance):
        return Undone([], "")
    if not (tables := unbuilt(instance, settings, warehouse)):
        return Undone([], "")
    keys = [dg.AssetKey(table) for table in (RAW_INVOICES, *tables)]
    assets = {record.asset_entry.asset_key.path[-1]: record.asset_entry for record in instance.get_asset_records(keys)}
    load = assets[RAW_INVOICES].last_materialization_record if RAW_INVOICES in assets else None
    last_runs = {table: asset.last_run_id or "" for table, asset in assets.items()}
    known = dg.RunsFilter(run_ids=[*last_runs.values()])
    runs = {record.dagster_run.run_id: record for record in instance.get_run_records(known)} if last_runs else {}
    is_quiet = datetime.now(UTC) - newest[0].update_timestamp > QUIET
    undone: dict[str, str] = {}
    for table in tables:
        last = runs.get(last_runs.get(table, ""))
        if last and _is_lost(last.dagster_run):
            undone[table] = last.dagster_run.run_id
        elif is_quiet and load and (not last or _is_earlier(last, load)):
            undone[table] = load.run_id
    return Undone(sorted(undone), " ".join(sorted(set(undone.values()))))


def lost_loads(instance: dg.DagsterInstance, since: Mapping[str, int]) -> set[str]:
    """Those of the dumps, at least one, whose load was killed for good after the moment given: nanoseconds since 1970.

    None if runs are killed without end.
    """
    if killed_without_end(instance):
        return set()
    failed = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], created_after=datetime.fromtimestamp(min(since.values()) / 1e9, UTC)
    )
    return {
        name
        for record in instance.get_run_records(failed, limit=LATEST)
        if _is_lost(record.dagster_run)
        for name in _dumps_of(record.dagster_run)
        if name in since and record.create_timestamp.timestamp() * 1e9 > since[name]
    }


def killed_without_end(instance: dg.DagsterInstance) -> bool:
    """Whether nothing but killed runs has ended lately."""
    latest = instance.get_runs(limit=KILLED_IN_A_ROW)
    return len(latest) == KILLED_IN_A_ROW and all(map(_was_killed, latest))


def _was_killed(run: dg.DagsterRun) -> bool:
    """Whether a run has failed for another reason than its own: its process is gone, or has never started."""
    return run.status == dg.DagsterRunStatus.FAILURE and run.tags.get("dagster/failure_reason") not in _OF_ITS_OWN


def _is_lost(run: dg.DagsterRun) -> bool:
    """Whether a run was killed, and Dagster does not start it once more."""
    return _was_killed(run) and run.tags.get("dagster/will_retry") != "true"


def _is_earlier(run: dg.RunRecord, load: dg.EventLogRecord) -> bool:
    """Whether the run was made before the load had ended, and is not the one that loaded."""
    return run.create_timestamp.timestamp() < load.timestamp and run.dagster_run.run_id != load.run_id


def _dumps_of(run: dg.DagsterRun) -> Iterator[str]:
    """The dumps that a run was to load."""
    if name := run.tags.get("dagster/partition"):
        yield name
    config: Any = run.run_config
    yield from config.get("ops", {}).get(load_dumps.name, {}).get("config", {}).get("dumps", [])
