"""The first stage: dumps become lines in the warehouse."""

import dagster as dg
from upath import UPath

from lgs_assets.arrivals.inbox import Inbox, version_of
from lgs_assets.wiring.derived_asset import DUMP_FRESHNESS, OWNERS
from lgs_assets.wiring.partitions import dumps
from lgs_assets.wiring.versions import READER


@dg.asset(
    group_name="invoices",
    kinds={"postgres", "file"},
    owners=OWNERS,
    code_version=READER,
    partitions_def=dumps,
    freshness_policy=DUMP_FRESHNESS,
)
def raw_invoices(context: dg.AssetExecutionContext, inbox: dg.ResourceParam[Inbox]) -> UPath:
    """Every line of every accepted dump, as it came. One partition a dump, one row a line."""
    path = inbox.path_of(context.partition_key)
    # Noted before the file is read: one that is replaced meanwhile is another version, and is loaded again.
    context.add_output_metadata({"dump_version": version_of(path)})
    return path
