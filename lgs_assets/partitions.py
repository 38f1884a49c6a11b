"""How assets are partitioned: raw_invoices by dump, everything else not at all."""

import dagster as dg

RAW_INVOICES = "raw_invoices"

dumps = dg.DynamicPartitionsDefinition(name="dumps")
"""One partition a dump file, by its name."""
