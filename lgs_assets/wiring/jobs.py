"""The jobs: which assets are materialized together, the pull from another database, and the end of old runs."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.arrivals.pull import PullUnderWayError, Source, pull_new_lines
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.failures import plain_failures
from lgs_assets.wiring.partitions import RAW_INVOICES
from lgs_assets.wiring.retention import delete_old_runs

RETENTION = "retention"

lineage = dg.define_asset_job(
    "lineage",
    selection=dg.AssetSelection.all(),
    description="One dump through the whole lineage: loads it, then rebuilds and checks everything that follows.",
)

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(RAW_INVOICES),
    description="Loads one dump and checks it. What follows is rebuilt by automation.",
)

refresh = dg.define_asset_job(
    "refresh",
    selection=(dg.AssetSelection.all() - dg.AssetSelection.assets(RAW_INVOICES))
    | dg.AssetSelection.checks_for_assets(RAW_INVOICES),
    description="Rebuilds everything that follows the dumps, and checks it and them.",
)


@dg.op
def land_new_lines(
    context: dg.OpExecutionContext,
    source: dg.ResourceParam[Source],
    inbox: dg.ResourceParam[Inbox],
    warehouse: dg.ResourceParam[Warehouse],
) -> None:
    """Lands what is new in the source as one more dump in the inbox."""
    with plain_failures():
        try:
            done = pull_new_lines(source, inbox, warehouse, warn=context.log.warning)
        except PullUnderWayError as reason:  # such as one that takes longer than the time between two
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
    """Deletes the runs that are older than they are kept, but for those that hold the latest of something."""
    deleted = delete_old_runs(context.instance, finished_before=datetime.now(UTC) - timedelta(days=config.days))
    context.add_output_metadata({"runs_deleted": deleted})


@dg.graph
def delete_old() -> None:
    """The one step of `retention`."""
    delete_runs()


def retention(days: int) -> dg.JobDefinition:
    """The job of the schedule `daily_retention`, which keeps runs for so many days."""
    return delete_old.to_job(
        name=RETENTION,
        config=dg.RunConfig({"delete_runs": RunRetention(days=days)}),
        description="Deletes runs of long ago with their events. What tables, dumps and checks were last stays.",
    )
