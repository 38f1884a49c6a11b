"""What killed processes left undone: tables that no run is going to rebuild, dumps that none is going to load.

Told by the state of the tables and of the inbox, not by what a process was about to do: so it holds whatever was
killed. Dagster itself starts a killed run once more, but no second time, and automation asks only for changes that it
has seen happen. What failed by itself has been done, and stays failed; what is killed again and again is given up.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg

from lgs_assets.configuration import Settings
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.jobs import ingest, ingest_many, lineage, load_dumps, refresh
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.lost_runs import was_killed
from lgs_assets.wiring.versions import in_order, outdated, tables_read

QUIET = timedelta(seconds=20)
"""After so long without any run, automation will not ask for what was loaded last: it has looked twice."""
KILLS = 3
"""After so many, the work itself kills its process, by the memory it takes, say: asking again would never end."""
LATEST = 100
"""Failed runs that are looked at for killed work: it shows within seconds."""

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
    """The runs whose work it was: those that were killed, or the load that nothing followed.

    Equal for equal losses, so Dagster accepts the request once.
    """
    given_up: list[str]
    """Tables that are not to be rebuilt, because each attempt was killed, KILLS times since they were last built."""


class Ended(NamedTuple):
    """Dumps whose load has ended, and not well."""

    killed: set[str]
    """Those whose load was killed for good."""
    failed: set[str]
    """Those whose load failed by itself."""


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


def tables_left_undone(
    instance: dg.DagsterInstance, settings: Settings, warehouse: Warehouse, *, automation: str
) -> Undone:
    """The unbuilt tables whose last run was killed for good, or for which no run was made since a dump was loaded.

    The latter only if the sensor `automation`, which would have asked for them, has not been stopped. Like automation,
    it leaves out what is built on a table that failed a blocking check. None while a run at work may be about to build
    them.
    """
    newest = instance.get_run_records(limit=1, order_by="update_timestamp")
    if not newest or any(map(_loads_or_builds, instance.get_runs(_AT_WORK))):
        return Undone([], "", [])
    if not (tables := unbuilt(instance, settings, warehouse)):
        return Undone([], "", [])
    keys = [dg.AssetKey(table) for table in (RAW_INVOICES, *tables)]
    assets = {record.asset_entry.asset_key.path[-1]: record.asset_entry for record in instance.get_asset_records(keys)}
    load = assets[RAW_INVOICES].last_materialization_record if RAW_INVOICES in assets else None
    last_runs = {table: asset.last_run_id or "" for table, asset in assets.items()}
    known = dg.RunsFilter(run_ids=[*last_runs.values()])
    runs = {record.dagster_run.run_id: record for record in instance.get_run_records(known)} if last_runs else {}
    is_quiet = datetime.now(UTC) - newest[0].update_timestamp > QUIET and not _is_stopped(instance, automation)
    lost: dict[str, str] = {}
    unasked: dict[str, str] = {}
    for table in tables:
        last = runs.get(last_runs.get(table, ""))
        if last and _is_lost(last.dagster_run):
            lost[table] = last.dagster_run.run_id
        elif is_quiet and load and (not last or _is_earlier(last, load)):
            unasked[table] = load.run_id
    kills = _kills(instance, {table: assets[table].last_materialization_record for table in lost})
    given_up = sorted(table for table in lost if kills[table] >= KILLS)
    undone = {table: run for table, run in (lost | unasked).items() if table not in given_up}
    for table in _held_up(undone, warehouse, without=given_up):
        del undone[table]
    return Undone(sorted(undone), " ".join(sorted(set(undone.values()))), given_up)


def failed_loads(instance: dg.DagsterInstance, since: Mapping[str, int]) -> Ended:
    """Those of the dumps whose load failed or was killed after the moment given: nanoseconds since 1970."""
    ended = Ended(set(), set())
    if not since:
        return ended
    failed = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], created_after=datetime.fromtimestamp(min(since.values()) / 1e9, UTC)
    )
    for record in instance.get_run_records(failed, limit=LATEST):
        names = {
            name
            for name in _dumps_of(record.dagster_run)
            if name in since and record.create_timestamp.timestamp() * 1e9 > since[name]
        }
        if _is_lost(record.dagster_run):
            ended.killed.update(names - ended.failed)
        elif not was_killed(record.dagster_run):
            ended.failed.update(names - ended.killed)
    return ended


def _kills(instance: dg.DagsterInstance, built: Mapping[str, dg.EventLogRecord | None]) -> Counter[str]:
    """How many runs were killed for good over each table since it was last built.

    A run builds one table after the other: the kill is that of the one whose step had begun. If it was none of them,
    such as a check, it is that of all that the run was to build.
    """
    if not built:
        return Counter()
    since = {table: record.timestamp if record else 0.0 for table, record in built.items()}
    failed = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], created_after=datetime.fromtimestamp(min(since.values()), UTC)
    )
    kills: Counter[str] = Counter()
    for record in instance.get_run_records(failed, limit=LATEST):
        run, began = record.dagster_run, record.create_timestamp.timestamp()
        if _is_lost(run):
            tables = [table for table, moment in since.items() if began > moment and _builds(run, table)]
            last = _last_step(instance, run)
            kills.update([last] if last in tables else tables)
    return kills


def _last_step(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """The step of a run that began last; that of a table has its name."""
    begun = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.STEP_START, limit=1, ascending=False
    ).records
    return begun[0].event_log_entry.step_key if begun else None


def _held_up(tables: Iterable[str], warehouse: Warehouse, *, without: Collection[str]) -> set[str]:
    """Those of the tables that have, directly or not, an input that is given up or failed a blocking check.

    `without` are those given up. A failure counts since the input was last written, and if the input is among the
    tables only if it is held up itself: its check stops the run that rebuilds it.
    """
    failed = warehouse.rows(
        """
        select distinct table_name
        from check_results
        left join publications using (table_name) -- raw_invoices is not among them
        where
            degree = 'blocking'
            and violating_rows > 0
            and checked_at >= coalesce(published_at, (select max(loaded_at) from dumps))
        """
    )
    blocked = {row.table_name for row in failed}.difference(tables).union(without)
    specs = built_specs()
    inputs = {spec.key.path[-1]: tables_read(spec) for spec in specs}
    held_up: set[str] = set()
    for table in in_order(specs):
        if table in tables and not (blocked | held_up).isdisjoint(inputs[table]):
            held_up.add(table)
    return held_up


def _is_stopped(instance: dg.DagsterInstance, sensor: str) -> bool:
    """Whether somebody has stopped the sensor in the UI."""
    return any(state.name == sensor and not state.is_running for state in instance.all_instigator_state())


def _loads_or_builds(run: dg.DagsterRun) -> bool:
    """Whether a run loads dumps or builds tables; those that pull, plan, send or tidy up may take hours."""
    return bool(run.asset_selection) or run.job_name in {job.name for job in (lineage, ingest, ingest_many, refresh)}


def _builds(run: dg.DagsterRun, table: str) -> bool:
    """Whether a run was to build a table other than raw_invoices."""
    if run.asset_selection:
        return dg.AssetKey(table) in run.asset_selection
    return run.job_name in {lineage.name, refresh.name}


def _is_lost(run: dg.DagsterRun) -> bool:
    """Whether a run was killed, and Dagster does not start it once more."""
    return was_killed(run) and run.tags.get("dagster/will_retry") != "true"


def _is_earlier(run: dg.RunRecord, load: dg.EventLogRecord) -> bool:
    """Whether the run was made before the load had ended, and is not the one that loaded."""
    return run.create_timestamp.timestamp() < load.timestamp and run.dagster_run.run_id != load.run_id


def _dumps_of(run: dg.DagsterRun) -> Iterator[str]:
    """The dumps that a run was to load."""
    if name := run.tags.get("dagster/partition"):
        yield name
    config: Any = run.run_config
    yield from config.get("ops", {}).get(load_dumps.name, {}).get("config", {}).get("dumps", [])
