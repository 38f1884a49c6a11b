"""The platform's own functions: load, publish. Without its orchestrator, checks, metadata and charts."""

import os
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd

from benchmarks.peers.common import PLAYBOOK, done
from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.wiring.resources import configured_tables

UNVERSIONED = Provenance("0" * 64, "0" * 64, {})

# As the assets return them, at the defaults of the settings.
MODELS = [
    InvoiceModel("clean_invoices.sql", raw_invoices=Relation("raw_invoices"), drop_repeats=False),
    InvoiceModel("invoice_totals.sql", clean_invoices=Relation("clean_invoices")),
    Model("monthly_metrics.sql"),
    Model("user_activity.sql"),
    Model("invoice_amounts.sql"),
    Model("invoice_amount_statistics.sql", chart_cutoff=Decimal("0.85")),
    Model("rfm_scores.sql", snapshot_date=None, ties="by_customer_id"),
    Model("segments.sql"),
    Model("segment_summary.sql"),
]


def main(warehouse: Warehouse, dumps: list[Path]) -> None:
    """Loads the dumps, and makes every table from them and those that are there."""
    warehouse.prepare()
    store = configured_tables(warehouse)
    done("start")
    for dump in dumps:
        store.load_dump(DumpFile(dump, dump.name))
    done("raw_invoices")
    store.publish_frame(PLAYBOOK.stem, pd.read_csv(PLAYBOOK), UNVERSIONED)
    for model in MODELS:
        table = Path(model.file).stem
        store.publish_model(table, model, UNVERSIONED)
        done(table)


if __name__ == "__main__":
    main(Warehouse(os.environ["DATABASE_URL"]), [Path(dump) for dump in sys.argv[1:]])
