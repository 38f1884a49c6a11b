"""The jobs: which assets are materialized together, and the pull that brings a dump from another database."""

import dagster as dg

from lgs_assets.partitions import RAW_INVOICES
from lgs_assets.pull import PullUnderWayError, Source, pull_new_lines
from lgs_assets.resources import Inbox, WarehouseResource

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
def land_new_lines(context: dg.OpExecutionContext, source: Source, inbox: Inbox, warehouse: WarehouseResource) -> None:
    """Lands what is new in the source as one more dump in the inbox."""
    try:
        done = pull_new_lines(source, inbox, warehouse.get(), warn=context.log.warning)
    except PullUnderWayError as reason:  # such as one that takes longer than the time between two
        context.log.info(str(reason))
        return
    context.add_output_metadata({"dump": done.dump, "lines": done.lines, "is_new": done.is_new})


@dg.job(description="Pulls new lines from the database of LGS_SOURCE_URL into the inbox, whose sensor loads them.")
def pull() -> None:
    """The job of the schedule `scheduled_pull`."""
    land_new_lines()
