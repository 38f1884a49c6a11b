"""The sensors: new dumps become runs, rebuilt tables rebuild those downstream, and failures show as what they are."""

import time
import warnings
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import dagster as dg
from pydantic import BaseModel, ConfigDict, ValidationError

from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.checks import ALL_CHECKS
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.failures import REFUSED
from lgs_assets.wiring.jobs import RunDumps, ingest, ingest_many, load_dumps, refresh
from lgs_assets.wiring.left_undone import KILLED_IN_A_ROW, killed_without_end, lost_loads, tables_left_undone
from lgs_assets.wiring.lost_runs import fail_lost_runs
from lgs_assets.wiring.partitions import RAW_INVOICES, dumps, sha256_loaded
from lgs_assets.wiring.resources import RunAcceptance, RunSettings

# Dagster gives a sensor of several jobs a copy of its resources, with a parameter that nobody has set.
warnings.filterwarnings("ignore", r"Parameter `owners` of initializer `SensorDefinition", dg.BetaWarning)

FILES_PER_TICK = 500
"""Each costs a query or two: a tick stays far below the minute that Dagster allows it. One run loads them."""


class Seen(NamedTuple):
    """A version of a file in the inbox."""

    version: str
    """Of the file, and of the rules by which it is accepted."""
    since: int
    """When it was first seen, in nanoseconds since 1970. A file that comes back counts as new."""
    is_dealt_with: bool = False
    """Whether its load was requested, or it was found loaded."""
    content: str = ""
    """The SHA-256 of its content, once it is loaded."""


class Cursor(BaseModel):
    """What the inbox sensor remembers from one tick to the next."""

    model_config = ConfigDict(extra="forbid")

    files: dict[str, Seen] = {}
    refused: list[str] = []


@dg.sensor(
    jobs=[ingest, ingest_many],
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Loads every new or changed dump in the inbox that is complete: marked so, or the same for two ticks.",
)
def inbox_sensor(
    context: dg.SensorEvaluationContext,
    inbox: dg.ResourceParam[Inbox],
    acceptance: RunAcceptance,
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.SensorResult:
    """Registers each complete new file as a partition of raw_invoices and requests its load. Reads no file.

    One run loads everything that a tick finds. A tick handles a limited number of files, longest waiting first, and
    leaves the others to the next. A file whose load failed has been handled; one whose load was killed has not, unless
    Dagster starts it once more. Another version of a file, or its return after it was gone, is a new file. So is a file
    whose content is no longer in the ledger: another dump had brought it, and now holds something else.
    """
    before, listing, now = _remembered(context), inbox.files(), time.time_ns()
    ledger = loaded_dumps(warehouse)
    held = {dump.sha256 for dump in ledger}
    open_questions = {name for name, seen in before.files.items() if seen.is_dealt_with and not seen.content}
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    lost: set[str] = set()
    if open_questions:
        lost = lost_loads(context.instance, {name: before.files[name].since for name in open_questions})
        materialized = context.instance.get_materialized_partitions(dg.AssetKey(RAW_INVOICES))
        open_questions &= materialized
        if DEMO_DUMP in materialized and DEMO_DUMP not in {dump.dump for dump in ledger}:
            changes.append(dumps.build_delete_request([DEMO_DUMP]))  # a real dump has taken its place
    files: dict[str, Seen] = {}
    for name, arrival in listing.arrivals.items():
        version = f"{arrival.version} {acceptance.reject_limit} {acceptance.date_order}"
        seen = before.files.get(name)
        if seen and name in open_questions:
            seen = seen._replace(content=sha256_loaded(context.instance, name, arrival.version) or "")
        if seen and name in lost and not seen.content:
            seen = before.files[name] = Seen(seen.version, since=now)  # as if it had been complete ever since
        is_known = seen and seen.version == version and (not seen.content or seen.content in held)
        files[name] = seen if seen and is_known else Seen(version, since=now)
    waiting = sorted(
        (seen.since, name)
        for name, seen in files.items()
        if not seen.is_dealt_with and (listing.arrivals[name].is_marked or seen == before.files.get(name))
    )
    due: dict[str, str] = {}
    for since, name in waiting[:FILES_PER_TICK]:
        version = files[name].version
        content = sha256_loaded(context.instance, name, listing.arrivals[name].version) or ""
        files[name] = Seen(version, since, is_dealt_with=True, content=content if content in held else "")
        if content not in held:  # `lgs run` may have loaded it
            due[name] = f"{name}:{version}:{since}"
    if vanished := sorted(before.files.keys() - files.keys()):
        context.log.info(f"No longer in the inbox, their lines stay: {', '.join(vanished)}")
    for reason in listing.refused:
        if reason not in before.refused:
            context.log.warning(f"Refused: {reason}")
    names = list(due)
    refused = f"; refused: {' '.join(listing.refused)}" if listing.refused else ""
    return dg.SensorResult(
        run_requests=_requests(due),
        dynamic_partitions_requests=[*changes, *([dumps.build_add_request(names)] if names else [])],
        cursor=Cursor(files=files, refused=listing.refused).model_dump_json(),
        skip_reason=None if names else f"Nothing new among {len(files)} files in {inbox.location}{refused}",
    )


keep_current = dg.AutomationConditionSensorDefinition(
    "keep_current",
    target=dg.AssetSelection.all() - dg.AssetSelection.assets(RAW_INVOICES),
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rebuilds each table after the tables that it is built from.",
)


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs whose process was killed, for which automation would wait for ever, and makes up for them.",
)
def lost_runs(
    context: dg.SensorEvaluationContext, settings: RunSettings, warehouse: dg.ResourceParam[Warehouse]
) -> dg.SensorResult:
    """Requests the tables that were left undone, once for each loss, after the checks of the lines they are built from.

    Dagster itself restarts once what its daemon had launched, and the inbox sensor loads that were lost.
    """
    failed = fail_lost_runs(context.instance)
    undone = tables_left_undone(context.instance, settings, warehouse)
    if undone.tables:
        keys = [dg.AssetKey(table) for table in undone.tables]
        of_dumps = dg.AssetKey(RAW_INVOICES)
        checks = [key for each in ALL_CHECKS for key in each.check_keys if key.asset_key in (of_dumps, *keys)]
        request = dg.RunRequest(run_key=undone.since, asset_selection=keys, asset_check_keys=checks)
        return dg.SensorResult(run_requests=[request])
    reason = f"Failed, because their process is gone: {', '.join(failed)}" if failed else "No run is lost"
    if killed_without_end(context.instance):
        reason = f"The last {KILLED_IN_A_ROW} runs were killed: nothing is requested again until one ends by itself"
    return dg.SensorResult(skip_reason=reason)


@dg.run_failure_sensor(
    monitored_jobs=[ingest_many],
    request_job=ingest,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Gives each dump that was refused among many a run of its own: a failed partition, with its reason.",
)
def refused_dumps(context: dg.RunFailureSensorContext) -> Iterator[dg.RunRequest]:
    """Requests the load of each dump that the run names, unless it has since had a run of its own, as in `lgs run`."""
    (record,) = context.instance.get_run_records(dg.RunsFilter(run_ids=[context.dagster_run.run_id]))
    for name in _refused_by(context):
        alone = dg.RunsFilter(tags={"dagster/partition": name}, created_after=record.create_timestamp)
        if not context.instance.get_runs(alone, limit=1):
            yield dg.RunRequest(partition_key=name, run_key=f"{name}:{record.dagster_run.run_id}")


def _refused_by(context: dg.RunFailureSensorContext) -> Iterator[str]:
    for event in context.get_step_failure_events():
        failure = event.step_failure_data.user_failure_data
        if failure and isinstance(names := failure.metadata.get(REFUSED), dg.JsonMetadataValue):
            yield from map(str, names.data or [])


def _requests(due: dict[str, str]) -> list[dg.RunRequest]:
    """The run that loads the dumps; each with the key of its load, which Dagster accepts only once."""
    match list(due.items()):
        case []:
            return []
        case [(name, key)]:
            return [dg.RunRequest(job_name=ingest.name, partition_key=name, run_key=key, tags={"lgs/dump": name})]
        case _:
            config = dg.RunConfig({load_dumps.name: RunDumps(dumps=list(due))})
            key = sha256("\0".join(due.values()).encode()).hexdigest()
            return [dg.RunRequest(job_name=ingest_many.name, run_key=key, run_config=config)]


def _remembered(context: dg.SensorEvaluationContext) -> Cursor:
    """The cursor of the previous tick; empty if there was none, or one written by other code."""
    try:
        return Cursor.model_validate_json(context.cursor or "{}")
    except ValidationError:
        context.log.info("The cursor comes from another version of the platform: every file counts as new.")
        return Cursor()
