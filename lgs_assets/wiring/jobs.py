"""The jobs: which assets are materialized together, the pull from another database, and the deletion of old runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
from pydantic import Field

from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.arrivals.pull import PullUnderWayError, Source, pull_new_lines
from lgs_assets.checks.sql_checks import evaluation
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.errors import DumpError, DumpsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.failures import StepFailure, plain_failures
from lgs_assets.wiring.io_manager import load
from lgs_assets.wiring.metadata import describe_dump, described
from lgs_assets.wiring.resources import RunAcceptance
from lgs_assets.wiring.retention import delete_old_runs
from lgs_assets.wiring.retries import retried

RETENTION = "retention"

lineage = dg.define_asset_job(
    "lineage",
    selection=dg.AssetSelection.all(),
    description="One dump through the whole lineage: loads it, then rebuilds and checks everything downstream.",
)

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(RAW_INVOICES),
    description="Loads one dump and checks it. Automation rebuilds everything downstream.",
)

refresh = dg.define_asset_job(
    "refresh",
    selection=(dg.AssetSelection.all() - dg.AssetSelection.assets(RAW_INVOICES))
    | dg.AssetSelection.checks_for_assets(RAW_INVOICES),
    description="Rebuilds everything downstream of the dumps, and checks it and them.",
)


class RunDumps(dg.Config):
    """The dumps that a run of `ingest_many` loads."""

    dumps: list[str] = Field(description="The names of the dumps, which are in the inbox.")


@dg.op(out={})
def load_dumps(
    context: dg.OpExecutionContext,
    config: RunDumps,
    inbox: dg.ResourceParam[Inbox],
    acceptance: RunAcceptance,
    tables: dg.ResourceParam[Tables],
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Loads each dump in its own transaction, then checks them all, once.

    A dump that cannot be loaded holds up no other: the run fails at its end, with every reason.
    """
    reasons: dict[str, str] = {}
    for name in config.dumps:
        with plain_failures(), retried():
            try:
                file = inbox.dump(name, acceptance)
                dump = load(tables, file, run=context.run_id, warn=context.log.warning)
            except DumpError as error:
                reasons[name] = str(error)
                continue
        metadata = described(RAW_INVOICES, partial(describe_dump, file, dump), context.log.warning)
        # At once: if the run ends early, automation must still see what is loaded by then.
        yield dg.AssetMaterialization(RAW_INVOICES, partition=file.name, metadata=metadata)
    if len(reasons) < len(config.dumps):
        with plain_failures(), retried():
            evaluations = [evaluation(check, tables) for check in CHECKS if check.table == RAW_INVOICES]
        yield from evaluations
    if reasons:
        raise StepFailure(DumpsError(reasons))


@dg.job(description="Loads many dumps in one run, and checks them once. Automation rebuilds everything downstream.")
def ingest_many() -> None:
    """The job that the inbox sensor and `lgs run` start when more than one dump is waiting."""
    load_dumps()


@dg.op
def land_new_lines(
    context: dg.OpExecutionContext,
    source: dg.ResourceParam[Source],
    inbox: dg.ResourceParam[Inbox],
    warehouse: dg.ResourceParam[Warehouse],
) -> None:
    """Lands new lines of the source as one more dump in the inbox."""
    with plain_failures():
        try:
            done = pull_new_lines(source, inbox, warehouse, warn=context.log.warning)
        except PullUnderWayError as reason:  # such as a pull that takes longer than the schedule's interval
            context.log.info(str(reason))
            return
    context.add_output_metadata({"dump": done.dump, "lines": done.lines, "is_new": done.is_new})


@dg.job(description="Pulls new lines from the database of LGS_SOURCE_URL into the inbox, whose sensor loads them.")
def pull() -> None:
    """The job of the schedule `scheduled_pull`."""
    land_new_lines()


class RunRetention(dg.Config):
    """How long runs are kept."""

    days: int = Field(ge=1, description="Runs that finished longer ago are deleted.")


@dg.op
def delete_runs(context: dg.OpExecutionContext, config: RunRetention) -> None:
    """Deletes the runs past their retention, except those that hold the latest state of something."""
    deleted = delete_old_runs(context.instance, finished_before=datetime.now(UTC) - timedelta(days=config.days))
    context.add_output_metadata({"runs_deleted": deleted})


@dg.graph
def delete_old() -> None:
    """The one step of `retention`."""
    delete_runs()


def retention(days: int) -> dg.JobDefinition:
    """The job of the schedule `daily_retention`, which keeps runs for this many days."""
    return delete_old.to_job(
        name=RETENTION,
        config=dg.RunConfig({"delete_runs": RunRetention(days=days)}),
        description="Deletes old runs with their events. The latest run of each table, dump and check stays.",
    )
