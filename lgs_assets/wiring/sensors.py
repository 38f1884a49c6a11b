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
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.failures import REFUSED
from lgs_assets.wiring.jobs import RunDumps, ingest, ingest_many, load_dumps, refresh
from lgs_assets.wiring.left_undone import KILLS, failed_loads, tables_left_undone
from lgs_assets.wiring.lost_runs import fail_lost_runs
from lgs_assets.wiring.partitions import dumps, sha256_loaded
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
    kills: int = 0
    """How often its load was killed for good."""
    has_failed: bool = False
    """Whether its load failed by itself."""

    @property
    def is_given_up(self) -> bool:
        """Whether each attempt to load it was killed, and no more are made."""
        return self.kills >= KILLS and not self.content

    @property
    def is_under_way(self) -> bool:
        """Whether its load was requested, and nothing is known of its end."""
        return self.is_dealt_with and not (self.content or self.has_failed or self.is_given_up)

    def killed(self, now: int) -> "Seen":
        """The version after one more load of it was killed: it waits for another, unless it is given up."""
        kills = self.kills + 1
        return self._replace(since=now, kills=kills, is_dealt_with=kills >= KILLS)


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
    Dagster starts it once more. That one is loaded alone, so that a file that kills its process holds up no other, and
    given up after a few kills. Another version of a file, or its return after it was gone, is a new file. So is a file
    whose content is no longer in the ledger: another dump had brought it, and now holds something else.
    """
    before, listing, now = _remembered(context), inbox.files(), time.time_ns()
    ledger = loaded_dumps(warehouse)
    held = {dump.sha256 for dump in ledger}
    open_questions = {name for name, seen in before.files.items() if seen.is_dealt_with and not seen.content}
    changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    killed: set[str] = set()
    failed: set[str] = set()
    if open_questions:
        under_way = {name: seen.since for name, seen in before.files.items() if seen.is_under_way}
        killed, failed = failed_loads(context.instance, under_way)
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
        if not (seen and seen.version == version and (not seen.content or seen.content in held)):
            files[name] = Seen(version, since=now)
        elif seen.content or name not in killed | failed:
            files[name] = seen
        else:
            files[name] = seen.killed(now) if name in killed else seen._replace(has_failed=True)
    waiting = sorted(
        (seen.since, name)
        for name, seen in files.items()
        if not seen.is_dealt_with
        # What was killed had been complete when it was first requested.
        and (listing.arrivals[name].is_marked or seen.kills or seen == before.files.get(name))
    )
    due: dict[str, str] = {}
    for since, name in waiting[:FILES_PER_TICK]:
        content = sha256_loaded(context.instance, name, listing.arrivals[name].version) or ""
        files[name] = files[name]._replace(is_dealt_with=True, content=content if content in held else "")
        if content not in held:  # `lgs run` may have loaded it
            due[name] = f"{name}:{files[name].version}:{since}"
    if vanished := sorted(before.files.keys() - files.keys()):
        context.log.info(f"No longer in the inbox, their lines stay: {', '.join(vanished)}")
    for reason in listing.refused:
        if reason not in before.refused:
            context.log.warning(f"Refused: {reason}")
    names = list(due)
    told = f"; refused: {' '.join(listing.refused)}" if listing.refused else ""
    if given_up := [name for name, seen in files.items() if seen.is_given_up]:
        told += f"; killed {KILLS} times, so not requested again until the file changes: {', '.join(given_up)}"
    return dg.SensorResult(
        run_requests=_requests(due, alone={name for name in due if files[name].kills}),
        dynamic_partitions_requests=[*changes, *([dumps.build_add_request(names)] if names else [])],
        cursor=Cursor(files=files, refused=listing.refused).model_dump_json(),
        skip_reason=None if names else f"Nothing new among {len(files)} files in {inbox.location}{told}",
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
    description="Fails runs whose process was killed, for which automation would wait for ever, and makes up for them. "
    "It also asks for the tables of a load that no run has followed, unless keep_current is stopped.",
)
def lost_runs(
    context: dg.SensorEvaluationContext, settings: RunSettings, warehouse: dg.ResourceParam[Warehouse]
) -> dg.SensorResult:
    """Requests the tables that were left undone, once for each loss, after the checks of the lines they are built from.

    Dagster itself restarts once what its daemon had launched, and the inbox sensor loads that were lost.
    """
    failed = fail_lost_runs(context.instance)
    undone = tables_left_undone(context.instance, settings, warehouse, automation=keep_current.name)
    told = f"killed {KILLS} times since they were last built, so not requested: {', '.join(undone.given_up)}"
    if undone.tables:
        if undone.given_up:
            context.log.warning(told)
        keys = [dg.AssetKey(table) for table in undone.tables]
        of_dumps = dg.AssetKey(RAW_INVOICES)
        checks = [key for each in ALL_CHECKS for key in each.check_keys if key.asset_key in (of_dumps, *keys)]
        request = dg.RunRequest(run_key=undone.since, asset_selection=keys, asset_check_keys=checks)
        return dg.SensorResult(run_requests=[request])
    reason = f"Failed, because their process is gone: {', '.join(failed)}" if failed else "No run is lost"
    if undone.given_up:
        reason += f"; {told}"
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


def _requests(due: dict[str, str], *, alone: set[str]) -> list[dg.RunRequest]:
    """The runs that load the dumps, some of them alone; each with the key of its load, which Dagster accepts once."""
    many = {name: key for name, key in due.items() if name not in alone}
    if len(many) == 1:
        alone, many = {*due}, {}
    requests = [
        dg.RunRequest(job_name=ingest.name, partition_key=name, run_key=key, tags={"lgs/dump": name})
        for name, key in due.items()
        if name in alone
    ]
    if many:
        config = dg.RunConfig({load_dumps.name: RunDumps(dumps=list(many))})
        key = sha256("\0".join(many.values()).encode()).hexdigest()
        requests.append(dg.RunRequest(job_name=ingest_many.name, run_key=key, run_config=config))
    return requests


def _remembered(context: dg.SensorEvaluationContext) -> Cursor:
    """The cursor of the previous tick; empty if there was none, or one written by other code."""
    try:
        return Cursor.model_validate_json(context.cursor or "{}")
    except ValidationError:
        context.log.info("The cursor comes from another version of the platform: every file counts as new.")
        return Cursor()
