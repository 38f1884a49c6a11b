"""The declared analysis on the customers of the demo shop, and what they really bought later."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.experiments import LIFTS, measure, off_balance, off_measured, off_peeked, off_timed
from benchmarks.splits import differences_of_splits
from lgs_assets.action.experiments.detectable import cap_of
from lgs_assets.action.experiments.outcomes import CAP
from lgs_assets.demo.catalogue import draw_catalogue
from lgs_assets.demo.customers import draw_customers
from lgs_assets.demo.season import open_season
from lgs_assets.demo.trade import draw_ledger
from lgs_assets.models.lift import Difference

SPLITS = 400
BEGINS, ENDS = np.datetime64("2011-06-01"), np.datetime64("2011-12-01")
BEFORE = np.datetime64("2010-12-01")
ALARMS = {"false alarms, shows", "false alarms, shows, capped", "false alarms, buyers show"}


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    """What the shop sold: customer_id, at and pounds of each line."""
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
    return lines[lines["customer_id"] >= 0]


@pytest.fixture(scope="module")
def cap(sales: pd.DataFrame) -> Decimal | None:
    """Of what the customers of half a year earlier spent until the window begins."""
    known = pd.Index(sorted(set(sales.loc[sales["at"] < BEFORE, "customer_id"])))
    then = sales[(sales["at"] >= BEFORE) & (sales["at"] < BEGINS)].groupby("customer_id")["pounds"].sum()
    return cap_of(then.reindex(known).fillna(0).to_frame("net_revenue"))


@pytest.fixture(scope="module")
def customers(sales: pd.DataFrame) -> pd.DataFrame:
    """Those with a purchase before the window, with what they spent in it and before it, in blocks of like spend."""
    lines, before = sales, sales[sales["at"] < BEGINS]

    def spent(part: pd.DataFrame) -> pd.Series:
        return part.groupby("customer_id")["pounds"].sum().reindex(known).fillna(0)

    known = pd.Index(sorted(set(before["customer_id"])), name="customer_id")
    days = (BEGINS - before.groupby("customer_id")["at"].min()).dt.days.reindex(known)
    frame = pd.DataFrame(
        {
            "net_revenue": spent(lines[(lines["at"] >= BEGINS) & (lines["at"] < ENDS)]),
            "bought_within": spent(lines[(lines["at"] >= BEGINS) & (lines["at"] < ENDS)]) > 0,
            "rate": spent(before) / np.maximum(days, 30),
            "last_year": spent(before[before["at"] >= BEGINS - np.timedelta64(365, "D")]),
        }
    ).reset_index()
    for name in ("rate", "last_year"):
        frame[f"{name}, capped"] = np.minimum(frame[name], frame[name].quantile(CAP))
    in_order = frame.sort_values("last_year", ascending=False, ignore_index=True)
    return in_order.assign(block=in_order.index // 4)


def test_right_as_often_as_it_says(customers: pd.DataFrame, cap: Decimal | None) -> None:
    """Of 400 splits without an effect, 2 to 8 % look like one (2.8 standard errors); intervals hold 92 to 98 %."""
    found = measure(customers, cap=cap, splits=SPLITS, draws=99)
    assert cap is not None and (customers["net_revenue"] > float(cap)).any()
    for what in ("shows", "shows, capped", "buyers show"):
        assert 0.02 <= found[what, 0.0] / SPLITS <= 0.08
    for lift in LIFTS:
        assert 0.92 <= found["covered", lift] / SPLITS <= 0.98
        assert 0.92 <= found["buyers covered", lift] / SPLITS <= (1 if lift else 0.98)
    assert off_measured("demo", found, frame=customers, splits=SPLITS) == []


@pytest.mark.parametrize(
    ("times", "narrower", "off"),
    [
        (1 / 3, 1, ALARMS),  # it cries wolf
        (9, 1, {*ALARMS, "10% of buyers shows", "20% of buyers shows"}),  # it shows nothing
        (1, 0.5, {f"intervals that hold {lift:.0%}{of}" for lift in LIFTS for of in ("", " of buyers")}),
    ],
)
def test_the_benchmark_says_what_is_off(
    customers: pd.DataFrame,
    cap: Decimal | None,
    monkeypatch: pytest.MonkeyPatch,
    times: float,
    narrower: float,
    off: set[str],
) -> None:
    """Of a test whose chances, or intervals, are wrong, each figure that chance does not explain is named."""

    def wrong(*given: Any, **options: Any) -> list[dict[str, Difference]]:
        return [
            {
                name: replace(
                    each,
                    p_value=each.p_value * times,
                    low=each.estimate + narrower * (each.low - each.estimate),
                    high=each.estimate + narrower * (each.high - each.estimate),
                )
                for name, each in told.items()
            }
            for told in differences_of_splits(*given, **options)
        ]

    monkeypatch.setattr("benchmarks.experiments.differences_of_splits", wrong)
    found = measure(customers, cap=cap, splits=SPLITS, draws=99)
    said = off_measured("demo", found, frame=customers, splits=SPLITS)
    assert {line.removeprefix("demo: ").split(": ")[0] for line in said} == off
    assert all("; expected " in line for line in said)


def test_the_benchmark_judges_what_comparing_takes() -> None:
    """More than ten seconds of a processor for 6,000 customers are named, and in proportion for more of them."""
    assert off_timed(9.9, customers=71) == off_timed(19.9, customers=12_000) == []
    took = "the comparisons of a result took {} s of a processor; expected at most {}."
    assert off_timed(10.1, customers=71) == [took.format(10.1, 10.0)]
    assert off_timed(20.1, customers=12_000) == [took.format(20.1, 20.0)]


def test_the_benchmark_holds_looks_and_effects_to_their_bounds() -> None:
    """Looks at most 6 %; on the data of the reference, effects that show no less often, and arms as alike, as there."""
    assert off_peeked("demo", Counter(declared=120), splits=2000) == []
    assert off_peeked("demo", Counter(declared=140), splits=2000) == [
        "demo: a declared look shows what is not there: 7.0%; expected 0.0% to 6.5%."
    ]
    right = {(what, lift): 380 for what in ("covered", "buyers covered") for lift in LIFTS}
    fine = Counter(right | {(what, 0.0): 20 for what in ("shows", "shows, capped", "buyers show")})
    frame = pd.DataFrame({"bought_within": [True] * 748})
    assert off_measured("Champions", fine, frame=frame, splits=400) == [
        "Champions: 10% shows, capped: 0.0%; expected 17.6% to 100.0%.",
        "Champions: 20% shows, capped: 0.0%; expected 70.4% to 100.0%.",
    ]
    assert off_measured("Champions", fine, frame=frame[1:], splits=400) == []
    assert off_measured("Champions", fine, frame=frame, splits=400, control=0.05) == []
    apart = pd.DataFrame({"apart": [-60.0, 60.0] * 50})
    assert off_balance("At Risk", apart, customers=750) == ["At Risk: the arms are £60 apart; expected at most £38."]
    assert off_balance("At Risk", apart / 2, customers=750) == []
    assert off_balance("At Risk", apart, customers=751) == [
        "At Risk: 751 customers, and the reference drew 750: its balance is not compared."
    ]
