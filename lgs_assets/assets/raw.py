"""The first stage: dumps become lines in the warehouse."""

import dagster as dg

from lgs_assets.arrivals.inbox import Inbox
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.wiring.derived_asset import DUMP_FRESHNESS, OWNERS
from lgs_assets.wiring.failures import plain_failures
from lgs_assets.wiring.partitions import dumps
from lgs_assets.wiring.resources import RunAcceptance
from lgs_assets.wiring.versions import READER


@dg.asset(
    group_name="invoices",
    kinds={"postgres", "file"},
    owners=OWNERS,
    code_version=READER,
    partitions_def=dumps,
    freshness_policy=DUMP_FRESHNESS,
)
def raw_invoices(
    context: dg.AssetExecutionContext, inbox: dg.ResourceParam[Inbox], acceptance: RunAcceptance
) -> DumpFile:
    """Every line of every accepted dump, as it came. One partition per dump, one row per line."""
    with plain_failures():
        return inbox.dump(context.partition_key, acceptance)
