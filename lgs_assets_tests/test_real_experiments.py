"""Experiments, on the real data: what customers do by themselves, and what a test of them can show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lgs_assets.action.audiences import Audience, Limits, audience_named
from lgs_assets.action.experiments.declaration import FOLDER, Declaration
from lgs_assets.action.experiments.detectable import prospect
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


@pytest.mark.parametrize(
    ("where", "raw", "adjusted", "buyers"),
    [
        ("segment = 'Can''t Lose'", (186, 225), (154, 196), (40, 72)),
        ("segment = 'At Risk'", (56, 51), (50, 38), (42, 52)),
        ("segment in ('Can''t Lose', 'At Risk')", (55, 52), (46, 42), (41, 51)),
        ("segment = 'Champions'", (61, 58), (22, 20), (87, 93)),
        ("true", (40, 38), (12, 10), (48, 52)),
    ],
)
def test_what_can_be_detected(
    real: Warehouse, where: str, raw: tuple[int, int], adjusted: tuple[int, int], buyers: tuple[int, int]
) -> None:
    """Within 3 and 6 months, in percent of net revenue, raw to a point; how many buy within 6 months, to a point."""
    declaration = Declaration.read(FOLDER / "win_back_call.toml")
    found = prospect(real, declaration, Audience("some", "Some.", where, {}, Limits()))
    windows = {window.window: window for window in found.windows}
    quarter, half = windows["3 months"], windows["6 months"]
    assert half.share_detectable is not None
    assert (len(quarter.starts), len(half.starts)) == (4, 3)
    assert (quarter.net_change, half.net_change) == pytest.approx(raw, abs=1)
    assert (quarter.net_change_adjusted, half.net_change_adjusted) == pytest.approx(adjusted, abs=1.5)
    assert (100 * half.share, 100 * half.share_detectable) == pytest.approx(buyers, abs=1)


def test_the_lapsed_together_can_be_tested_and_the_few_alone_cannot(real: Warehouse) -> None:
    """Ten points more who buy within 90 days: 821 customers show it at 85 % or more, 71 at about 14 %."""
    declaration = Declaration.read(FOLDER / "win_back_call.toml")
    together = prospect(real, declaration, audience_named("lapsed_regulars"))
    alone = prospect(real, declaration, audience_named("call_list"))
    assert (together.customers, alone.customers) == (821, 71)
    assert together.power >= 0.85 and not together.is_underpowered
    assert alone.power < 0.2 and len(alone.ways_out) == 3
