"""The declared analysis on the customers of the demo shop, and what they really bought later."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.experiments import LIFTS, measure
from lgs_assets.action.experiments.outcomes import CAP
from lgs_assets.demo.catalogue import draw_catalogue
from lgs_assets.demo.customers import draw_customers
from lgs_assets.demo.season import open_season
from lgs_assets.demo.trade import draw_ledger

SPLITS = 400
BEGINS, ENDS = np.datetime64("2011-06-01"), np.datetime64("2011-12-01")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Those with a purchase before the window, with what they spent in it and before it."""
    generator, season = np.random.default_rng(7), open_season()
    drawn = draw_customers(generator, lines=20_000)
    ledger = draw_ledger(generator, lines=20_000, season=season, catalogue=draw_catalogue(generator), customers=drawn)
    lines = pd.DataFrame(
        {
            "customer_id": ledger.customers[ledger.invoices],
            "at": season.minutes[ledger.minutes[ledger.invoices]],
            "pounds": ledger.quantities * ledger.mills / 1000,
        }
    )
    lines = lines[lines["customer_id"] >= 0]
    before = lines[lines["at"] < BEGINS]

    def spent(part: pd.DataFrame) -> pd.Series:
        return part.groupby("customer_id")["pounds"].sum().reindex(known).fillna(0)

    known = pd.Index(sorted(set(before["customer_id"])), name="customer_id")
    days = (BEGINS - before.groupby("customer_id")["at"].min()).dt.days.reindex(known)
    frame = pd.DataFrame(
        {
            "net_revenue": spent(lines[(lines["at"] >= BEGINS) & (lines["at"] < ENDS)]),
            "rate": spent(before) / np.maximum(days, 30),
            "last_year": spent(before[before["at"] >= BEGINS - np.timedelta64(365, "D")]),
        }
    ).reset_index()
    for name in ("rate", "last_year"):
        frame[f"{name}, capped"] = np.minimum(frame[name], frame[name].quantile(CAP))
    return frame


def test_right_as_often_as_it_says(customers: pd.DataFrame) -> None:
    """Of 400 splits without an effect, 2 to 8 % look like one (2.8 standard errors); intervals hold 92 to 98 %."""
    found = measure(customers, splits=SPLITS, draws=99)
    for what in ("shows", "shows, capped"):
        assert 0.02 <= found[what, 0.0] / SPLITS <= 0.08
    for lift in LIFTS:
        assert 0.92 <= found["covered", lift] / SPLITS <= 0.98
