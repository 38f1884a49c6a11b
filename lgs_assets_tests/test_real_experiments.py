"""Experiments, on the real data: what customers do by themselves, and what a test of them can show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from lgs_assets.warehouse.database import Warehouse


def test_what_no_campaign_brings(real: Warehouse, real_data: Path) -> None:
    """Each segment, start and window of the reference, to the penny: 40 % of Can't Lose come back by themselves."""
    file = real_data / "reference" / "experiments" / "before_after_without_campaign.csv"
    reference = pd.read_csv(file, dtype=str, keep_default_na=False).to_dict("records")
    ours = {(row.segment, row.snapshot_date, row.months): row for row in real.rows("select * from natural_return")}
    assert len(reference) > 10
    for theirs in reference:
        found = ours[theirs["segment"], datetime.fromisoformat(theirs["start"]), int(theirs["months"])]
        assert (found.customers, found.came_back) == (int(theirs["customers"]), int(theirs["came_back"])), theirs
        for name in ("sales_after", "net_after", "net_before"):
            assert round(found[name], 2) == Decimal(theirs[f"{name}_gbp"]), (name, theirs)
