"""The platform's own functions: load, publish. Without its orchestrator, checks, metadata and charts."""

import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers.common import PLAYBOOK, done
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.dumps import load_dump
from lgs_assets.warehouse.frames import publish_frame
from lgs_assets.warehouse.model import Model
from lgs_assets.warehouse.publish import Provenance, publish_model

UNVERSIONED = Provenance("0" * 64, {})

# As the assets bind them, at the defaults of the settings.
MODELS: dict[str, dict[str, Any]] = {
    "clean_invoices": {"drop_repeats": False},
    "invoice_totals": {},
    "monthly_metrics": {},
    "user_activity": {},
    "invoice_amounts": {},
    "invoice_amount_statistics": {"chart_cutoff": Decimal("0.85")},
    "rfm_scores": {"snapshot_date": None, "ties": "by_customer_id"},
    "segments": {},
    "segment_summary": {},
}


def main(warehouse: Warehouse, dumps: list[Path]) -> None:
    """Loads the dumps, and makes every table from them and those that are there."""
    warehouse.prepare()
    done("start")
    for dump in dumps:
        load_dump(warehouse, dump, name=dump.name)
    done("raw_invoices")
    publish_frame(warehouse, PLAYBOOK.stem, pd.read_csv(PLAYBOOK), UNVERSIONED)
    for table, parameters in MODELS.items():
        publish_model(warehouse, table, Model(f"{table}.sql", **parameters), UNVERSIONED)
        done(table)


if __name__ == "__main__":
    main(Warehouse(os.environ["DATABASE_URL"]), [Path(dump) for dump in sys.argv[1:]])
