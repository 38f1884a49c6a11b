"""The jobs: which assets are materialized together."""

import dagster as dg

lineage = dg.define_asset_job(
    "lineage",
    selection=dg.AssetSelection.all(),
    description="One dump through the whole lineage: loads it, then rebuilds and checks everything that follows.",
)

ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets("raw_invoices"),
    description="Loads one dump and checks it. What follows is rebuilt by automation.",
)

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("raw_invoices"),
    description="Rebuilds and checks everything that follows the dumps.",
)
