"""How assets are partitioned: raw_invoices by dump, everything else not at all."""

import dagster as dg

from lgs_assets.contracts.contract import RAW_INVOICES

DUMPS = "dumps"
dumps = dg.DynamicPartitionsDefinition(name=DUMPS)
"""One partition per dump file, by its name."""


def sha256_loaded(instance: dg.DagsterInstance, dump: str, version: str) -> str | None:
    """The SHA-256 of this version of the file, if it is the one that the last load of the dump read."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(RAW_INVOICES), asset_partitions=[dump]), limit=1
    ).records
    if not records or (materialization := records[0].asset_materialization) is None:
        return None
    recorded = {name: value.value for name, value in materialization.metadata.items()}
    return str(recorded["dump_sha256"]) if recorded.get("dump_version") == version else None
