"""The jobs: which assets are materialized together."""

import dagster as dg

from lgs_assets.partitions import RAW_INVOICES

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
