"""Risk, slipping, forecasts and their evaluation, on customers and series made for the purpose."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.assets.foresight import plotted
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import contract
from lgs_assets.models import bgnbd, cards, churn, evaluation, forecast, log, slipping, value
from lgs_assets.models.calibration import calibration
from lgs_assets.models.features import QUIET_DAYS, learnable
from lgs_assets.models.likelihood import FitError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import publish_frame, read_frame
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import UNVERSIONED, Line, build_tables, built_for, load_lines

BEGAN = pd.Timestamp("2010-01-01")
REASONS = ["reason_1", "reason_2", "reason_3"]
MOMENTS = pd.date_range("2010-02-01", "2011-08-01", freq="MS")


def purchases(customers: int, seed: int = 1) -> pd.DataFrame:
    """Purchase days of customers who buy at rates of their own, and of whom some leave."""
    generator = np.random.default_rng(seed)
    rows = []
    for customer in range(1, customers + 1):
        day, rate = float(generator.integers(0, 300)), generator.gamma(2, 0.01)
        while day < 577:
            rows.append((customer, BEGAN + pd.Timedelta(days=int(day)), round(float(generator.gamma(4, 50)), 2)))
            if generator.random() < 0.08:
                break
            day += 1 + generator.exponential(1 / rate)
    return pd.DataFrame(rows, columns=["customer_id", "day", "sales"])


def features_of(bought: pd.DataFrame) -> pd.DataFrame:
    """What customer_features holds of these days."""
    frames = []
    for moment in MOMENTS:
        known = bought[bought["day"] < moment].sort_values(["customer_id", "day"])
        gaps = known.groupby("customer_id")["day"].diff().dt.days
        by = known.assign(gap=gaps, age=(moment - known["day"]).dt.days).groupby("customer_id")
        frame = pd.DataFrame({
            "as_of": moment, "observed_until": moment, "first_day": by["day"].min(), "last_day": by["day"].max(),
            "purchase_days": by.size(), "orders": by.size(), "sales": by["sales"].sum(),
            "net_revenue": by["sales"].sum(), "typical_gap_days": by["gap"].median(),
            "squared_gaps": by["gap"].agg(lambda values: (values**2).sum()), "cancelled_orders": 0,
        })  # fmt: skip
        frame["recency_days"] = (moment - frame["last_day"]).dt.days
        frame["tenure_days"] = (moment - frame["first_day"]).dt.days
        frame["snapshot_recency_days"] = frame["recency_days"]
        for days in (90, 182, 365):
            recent = known[known["day"] >= moment - pd.Timedelta(days=days)].groupby("customer_id")["sales"]
            frame[f"purchase_days_{days}"] = recent.size().reindex(frame.index, fill_value=0)
            frame[f"sales_{days}"] = recent.sum().reindex(frame.index, fill_value=0.0)
        share = frame["recency_days"].rank(pct=True)
        frame["r_score"] = 6 - np.ceil(5 * share).astype(int)
        good = np.where(frame["r_score"] == 5, "Champions", "Loyal Customers")
        frame["segment"] = np.where(frame["r_score"] >= 3, good, "At Risk")
        frames.append(frame.reset_index())
    return pd.concat(frames, ignore_index=True)


def outcomes_of(bought: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """What customer_outcomes holds of them, until the last moment."""
    rows = []
    for moment in MOMENTS:
        asked = known[known["as_of"] == moment]
        later = bought[bought["day"] >= moment]
        row = asked[["as_of", "customer_id"]].copy()
        for days in value.HORIZONS:
            within = later[later["day"] < moment + pd.Timedelta(days=days)].groupby("customer_id")["sales"]
            is_over = moment + pd.Timedelta(days=days) <= MOMENTS[-1]
            row[f"days_{days}"] = row["customer_id"].map(within.size()).fillna(0) if is_over else np.nan
            row[f"sales_{days}"] = row["customer_id"].map(within.sum()).fillna(0) if is_over else np.nan
        next_days = later.groupby("customer_id")["day"].min().reindex(row["customer_id"])
        row["next_day"] = next_days.where(row["days_90"].to_numpy() > 0).to_numpy()
        segments = known[known["as_of"] == moment + pd.DateOffset(months=3)].set_index("customer_id")["segment"]
        row["segment_3_months"] = row["customer_id"].map(segments)
        rows.append(row)
    frame = pd.concat(rows, ignore_index=True)
    bought_90 = (frame["days_90"] > 0).astype("boolean").where(frame["days_90"].notna())
    counts = {f"purchase_days_{days}": frame[f"days_{days}"].astype("Int64") for days in value.HORIZONS}
    return frame.assign(bought_90=bought_90, **counts)


@pytest.fixture(scope="module")
def shop() -> dict[str, pd.DataFrame]:
    bought = purchases(400)
    known = features_of(bought)
    came = outcomes_of(bought, known)
    return {"features": known, "outcomes": came, "known": churn.active(learnable(known, came, BEGAN))}


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_no_bit(shop: dict[str, pd.DataFrame], seed: int) -> None:
    """Of no prediction and no back-test: customers are put in order before anything is drawn or summed."""
    known, came = shuffled(shop["features"], seed), shuffled(shop["outcomes"], seed)
    same(value.backtests(shop["features"], shop["outcomes"], BEGAN), value.backtests(known, came, BEGAN))
    values = value.predicted(shop["features"], discount_pct=10, model_horizons=value.HORIZONS)
    same(values, value.predicted(known, discount_pct=10, model_horizons=value.HORIZONS))
    learnt = churn.active(learnable(known, came, BEGAN))
    same(shop["known"], learnt)
    same(slipping.predicted(shop["features"], is_model_used=True), slipping.predicted(known, is_model_used=True))
    given_ = {"is_model_used": True, "is_calibrated": True, "is_gap_used": True}
    year = values[values["horizon_days"] == value.JUDGED]
    same(churn.predicted(shop["known"], year, **given_), churn.predicted(learnt, shuffled(year, seed), **given_))


def test_nothing_is_learnt_from_a_window_that_is_not_over(
    shop: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a leak shows: the rows of the back-test tell the end of the last window, which a check compares."""
    rows = churn.backtests(shop["known"])
    assert rows["as_of"].nunique() == churn.FOLDS
    assert (rows["labels_until"] <= rows["as_of"]).all()
    monkeypatch.setattr(churn, "lessons_before", lambda known, _: known[known["bought_90"].notna()])
    leaked = churn.backtests(shop["known"])
    assert (leaked["labels_until"] > leaked["as_of"]).any()


def test_risk_is_ranked_with_reasons(shop: dict[str, pd.DataFrame]) -> None:
    """Each active customer once; the band follows from the probability; no reason twice."""
    values = value.predicted(shop["features"], discount_pct=0, model_horizons=value.HORIZONS)
    risks = churn.predicted(
        shop["known"],
        values[values["horizon_days"] == value.JUDGED],
        is_model_used=True,
        is_calibrated=False,
        is_gap_used=True,
    )
    assert risks["customer_id"].is_unique
    assert sorted(risks["rank"]) == list(range(1, len(risks) + 1))
    assert risks.sort_values("rank")["probability"].is_monotonic_decreasing
    assert (risks[REASONS].nunique(axis=1) == risks[REASONS].notna().sum(axis=1)).all()
    single = risks["expected_next_day"].isna()
    assert single.any() and risks.loc[single, "days_late"].isna().all()


def test_the_day_of_everybody_is_that_of_the_usual_wait(shop: dict[str, pd.DataFrame]) -> None:
    """On each past day one for all who have a rhythm, from earlier days; it is served where it was nearer."""
    rows = churn.backtests(shop["known"])
    assert rows["baseline_next_day"].isna().equals(rows["expected_next_day"].isna())
    days = rows.dropna(subset="baseline_next_day").groupby("as_of")["baseline_next_day"].unique()
    for as_of, told in days.items():
        before = churn.lessons_before(shop["known"], pd.Timestamp(str(as_of)))
        day = before["last_day"] + pd.to_timedelta(np.ceil(before["typical_gap_days"]), unit="D")
        waits = (before["next_day"] - before["as_of"]).dt.days[churn.is_due(before["as_of"], day)]
        assert list(told) == [pd.Timestamp(str(as_of)) + pd.Timedelta(days=round(waits.median()))]
    served = churn.predicted(
        shop["known"], nobody_worth(shop["known"]), is_model_used=True, is_calibrated=True, is_gap_used=False
    )
    assert served["expected_next_day"].nunique() == 1 and (served["days_late"].dropna() < 0).all()


def test_a_date_is_judged_where_its_fortnight_was_observed(shop: dict[str, pd.DataFrame]) -> None:
    """Who is due at the end of the 90 days may buy on time after them; the card has what is harder to beat, too."""
    risks = churn.backtests(shop["known"]).assign(task="churn_risk")
    judged = evaluated(shop, risks=risks)
    wait, came = ((risks[name] - risks["as_of"]).dt.days for name in ("expected_next_day", "next_day"))
    is_due = wait.between(0, QUIET_DAYS - churn.NEAR_DAYS - 1)
    assert is_due.sum() < wait.between(0, QUIET_DAYS - 1).sum()
    hits = (came - churn.NEAR_DAYS).abs()[is_due] <= churn.NEAR_DAYS
    is_asked = (judged["fold"] == "pooled") & (judged["metric"] == "within_14_days")
    rows: Any = judged[is_asked].set_index("model")
    assert set(rows["n"]) == {is_due.sum()}
    assert rows.loc[churn.FORTNIGHT, "value"] == pytest.approx(hits.groupby(risks["as_of"]).mean().mean())
    told = cards.cards(judged, unavailable_because=None).set_index("task")["measured_error"]
    assert f"{churn.FORTNIGHT}: of all who were due in the next 76 days" in str(told["churn_risk"])


@pytest.fixture(scope="module")
def said(shop: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Each reason beside what is known of the customer: its `words`, and whether it `raises` the risk."""
    known = shop["known"].assign(cancelled_orders=shop["known"]["customer_id"] % 3)
    risks = churn.predicted(known, nobody_worth(known), is_model_used=True, is_calibrated=True, is_gap_used=True)
    assert set(risks["model"]) == {churn.MODEL}
    reasons = risks.melt(["customer_id"], REASONS, value_name="reason").dropna(subset="reason")
    told = reasons["reason"].str.extract(r"^(?P<words>.+): (?P<effect>raises|lowers) the risk$")
    assert told.notna().all(axis=None)
    latest = known[known["as_of"] == known["as_of"].max()]
    return reasons.assign(words=told["words"], raises=told["effect"] == "raises").merge(latest, on="customer_id")


def nobody_worth(known: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": known["customer_id"].unique()}).assign(rank=1)


def test_a_reason_is_written_in_plain_numbers(said: pd.DataFrame) -> None:
    """One day is no days, and nothing is said of a number that is not there."""
    words = said["words"]
    for one, more in (("1 day ago", "2 days ago"), ("1 cancelled order", "2 cancelled orders")):
        assert words.str.endswith(one).any() and words.str.endswith(more).any()
    assert not words.str.contains(r"\b1 (?:\w+ )?\w+s\b|\b0\b|nan|None").any()


def test_no_rhythm_is_told_from_two_purchase_days(said: pd.DataFrame) -> None:
    """One gap cannot be regular, and nothing is usual after it."""
    rhythm = said["words"].str.contains("regularly|every|usual")
    assert said.loc[rhythm, "purchase_days"].min() == 3
    assert not said.loc[said["purchase_days"] == 2, "words"].empty


def test_no_reason_says_the_opposite_of_what_it_does(said: pd.DataFrame) -> None:
    """Who bought lately, regularly or a second time is at no higher risk for it; who did not, at no lower one."""
    last = said[said["words"].str.startswith("last bought")]
    assert last.loc[~last["raises"], "recency_days"].max() <= last.loc[last["raises"], "recency_days"].min()
    for words, raises in (("buys regularly", False), ("no second purchase yet", True)):
        assert set(said.loc[said["words"].str.startswith(words), "raises"]) == {raises}
    assert not said.loc[said["words"].str.startswith(("buys irregularly", "no cancelled")), "words"].empty
    assert said.loc[said["words"].str.startswith("buys irregularly"), "raises"].all()
    assert not said.loc[said["words"].str.startswith("no cancelled"), "raises"].any()


def test_recency_alone_is_the_only_reason_of_the_baseline(shop: dict[str, pd.DataFrame], warehouse: Warehouse) -> None:
    """It raises the risk of those of whom more than usual stayed away, and lowers that of the others."""
    known = shop["known"]
    risks = churn.predicted(known, nobody_worth(known), is_model_used=False, is_calibrated=True, is_gap_used=True)
    usual = 1 - churn.lessons_before(known, known["as_of"].max())["bought_90"].astype(float).mean()
    raised = risks["reason_1"].str.fullmatch(r"last bought \d+ days? ago: raises the risk")
    lowered = risks["reason_1"].str.fullmatch(r"last bought \d+ days? ago: lowers the risk")
    assert (raised == (risks["probability"] > usual)).all() and (lowered == ~raised).all()
    assert raised.any() and lowered.any()
    assert risks[["reason_2", "reason_3"]].isna().all(axis=None)
    publish_frame(warehouse, "churn_risk", risks, UNVERSIONED)
    assert warehouse.rows("select count(*) as n from churn_risk where reason_2 is null")[0].n == len(risks)


def test_a_baseline_takes_the_place_of_a_model(shop: dict[str, pd.DataFrame]) -> None:
    """It is named in the table, without an interval, for it has none that holds."""
    values = value.predicted(shop["features"], discount_pct=0, model_horizons=())
    assert set(values["model"]) == {value.BASELINE}
    ends = ["purchases_low", "purchases_high", "sales_low", "sales_high"]
    assert values[ends].isna().all(axis=None) and values[["purchases", "sales"]].notna().all(axis=None)
    mixed = value.predicted(shop["features"], discount_pct=0, model_horizons=(90, 182))
    assert (mixed[ends].isna().all(axis=1) == (mixed["horizon_days"] == 365)).all()
    assert (mixed[ends].notna().all(axis=1) == (mixed["model"] == value.MODEL)).all()
    risks = churn.predicted(
        shop["known"],
        values[values["horizon_days"] == value.JUDGED],
        is_model_used=False,
        is_calibrated=False,
        is_gap_used=False,
    )
    assert set(risks["model"]) == {churn.BASELINE}
    assert risks["probability"].between(0, 1).all()
    assert set(slipping.predicted(shop["features"], is_model_used=False)["model"]) == {slipping.BASELINE}


def test_a_fit_without_a_maximum_leaves_the_baseline(
    shop: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named in the table; of past days nothing is claimed, and risk is still learnt, from even odds of BG/NBD."""
    monkeypatch.setattr(bgnbd, "maximised", no_maximum)
    values = value.predicted(shop["features"], discount_pct=0, model_horizons=value.HORIZONS)
    assert len(values) > 0 and set(values["model"]) == {value.BASELINE}
    assert value.backtests(shop["features"], shop["outcomes"], BEGAN).empty
    known = learnable(shop["features"], shop["outcomes"], BEGAN)
    assert len(known) > 0 and (known[["alive", "quiet"]] == 0.5).all(axis=None)


def test_risk_that_nothing_can_be_learnt_of_is_ranked_by_recency(shop: dict[str, pd.DataFrame]) -> None:
    """Where everybody came back there is no regression: the baseline, by its name."""
    known = shop["known"].assign(bought_90=shop["known"]["bought_90"].where(shop["known"]["bought_90"].isna(), True))
    risks = churn.predicted(known, nobody_worth(known), is_model_used=True, is_calibrated=False, is_gap_used=True)
    assert len(risks) > 0 and set(risks["model"]) == {churn.BASELINE}
    assert risks[REASONS].isna().all(axis=None), "nothing raises a risk that all share"


def no_maximum(*_: object, **__: object) -> None:
    raise FitError("The likelihood has no maximum that can be found.")


def test_a_value_without_an_interval_is_published_and_logged(
    shop: dict[str, pd.DataFrame], warehouse: Warehouse
) -> None:
    """The contract takes it beside those with one, and it is kept to be judged as it was said."""
    features = shop["features"].assign(net_revenue=shop["features"]["net_revenue"].round(2))
    made = value.predicted(features, discount_pct=0, model_horizons=(90, 182))
    publish_frame(warehouse, "customer_value", made, UNVERSIONED)
    kept = log.of_values(read_frame(warehouse, "customer_value"), features, "a" * 64)
    of_the_year = kept["window_until"] - kept["window_from"] == pd.Timedelta(days=365)
    assert of_the_year.any() and not of_the_year.all()
    assert (kept[["low", "high"]].isna().all(axis=1) == of_the_year).all() and kept["point"].notna().all()


def test_a_discount_takes_more_off_what_is_further_away(shop: dict[str, pd.DataFrame]) -> None:
    """At 10 % a year, less than that of a year's sales, and hardly anything of a quarter's."""
    full = value.predicted(shop["features"], discount_pct=0, model_horizons=value.HORIZONS)
    less = value.predicted(shop["features"], discount_pct=10, model_horizons=value.HORIZONS)
    kept = less.groupby("horizon_days")["sales"].sum() / full.groupby("horizon_days")["sales"].sum()
    assert kept[90] > kept[182] > kept[365] > 0.9
    assert kept[90] == pytest.approx(0.9 ** (45 / 365), abs=0.003)


def test_a_whale_changes_little_for_the_others(shop: dict[str, pd.DataFrame]) -> None:
    """Who spends a million times as much is first; others are expected as often, and half of them for about as much."""
    known = shop["features"].copy()
    known.loc[known["customer_id"] == 3, "sales"] *= 1e6
    values, usual = (
        value.predicted(told, discount_pct=0, model_horizons=value.HORIZONS).set_index(["customer_id", "horizon_days"])
        for told in (known, shop["features"])
    )
    assert set(values["rank"].xs(3)) == {1}
    others = values.index.get_level_values("customer_id") != 3
    assert values.loc[others, "purchases"].equals(usual.loc[others, "purchases"])
    times = values.loc[others, "sales"] / usual.loc[others, "sales"]
    assert times.quantile([0.25, 0.5, 0.75]).between(0.8, 1.25).all() and times.between(0.3, 3).all()


def daily(weeks: int = 104, *, ends: int | None = None, seed: int = 1) -> pd.DataFrame:
    """A shop with a yearly season: its total, two countries, and a product that sells until it `ends`."""
    days = pd.date_range("2009-12-07", periods=7 * weeks)
    season = 100 + 40 * np.sin(2 * np.pi * days.day_of_year.to_numpy() / 365)
    noise = np.random.default_rng(seed).normal(0, 5, len(days))
    series = {("total", "All sales"): season + noise, ("country", "France"): (season + noise) * 0.3}
    series["country", "United Kingdom"] = (season + noise) * 0.7
    series["product", "22041"] = np.where(np.arange(len(days)) < (ends or 10**6) * 7, 10.0, 0.0)
    return pd.concat(
        pd.DataFrame({"kind": kind, "series": name, "day": days, "amount": amounts})
        for (kind, name), amounts in series.items()
    )


WHOLE = {
    "month": (pd.Timestamp("2010-01-01"), pd.Timestamp("2011-12-01")),
    "week": (pd.Timestamp("2009-12-07"), pd.Timestamp("2011-12-05")),
}


def test_a_choice_rests_on_what_was_over() -> None:
    """No period that ends after an origin chooses its method; from few origins nothing is chosen.

    What was set for these with the origins in view is never what is evaluated as learnt: that is the baseline.
    """
    rows = forecast.backtests(daily(), WHOLE)
    chosen = rows[rows["is_chosen"] & rows["chosen_by"].notna()]
    assert (chosen["chosen_by"] <= chosen["origin"]).all()
    first = rows[rows["is_chosen"] & (rows["origin"] == rows["origin"].min()) & (rows["grain"] == "week")]
    assert set(first["method"]) <= {task.at_first for task in forecast.TASKS}
    for task in forecast.TASKS:
        own = rows[(rows["kind"] == task.kind) & (rows["grain"] == task.grain) & (rows["horizon"] == task.horizon)]
        used, learnt = (own[own[name]].groupby("origin")["method"].first() for name in ("is_chosen", "is_learnt"))
        assert learnt.iloc[0] == task.baseline
        assert set(used[used != learnt]) == {task.at_first} and set(learnt[used != learnt]) == {task.baseline}
    for _, asked in rows[rows["is_chosen"]].groupby(["kind", "series", "grain", "horizon", "origin"]):
        assert asked["method"].nunique() == 1 and asked["period_start"].is_unique


def test_forecasts_hold_their_intervals_and_see_the_season() -> None:
    """On a shop that does the same each year, next year is last year."""
    lines = daily()
    past = forecast.backtests(lines, WHOLE)
    as_of, used = pd.Timestamp("2011-12-05"), {task.name: True for task in forecast.TASKS}
    rows = forecast.predicted(lines, past, WHOLE, as_of=as_of, are_choices_used=used)
    assert (rows["low_95"] <= rows["low_80"]).all() and (rows["low_80"] <= rows["forecast"]).all()
    assert (rows["forecast"] <= rows["high_80"]).all() and (rows["high_80"] <= rows["high_95"]).all()
    total = rows[(rows["kind"] == "total") & (rows["grain"] == "week")]
    assert total["forecast"].to_numpy() == pytest.approx(total["year_before"].to_numpy(), rel=0.15)
    same(rows, forecast.predicted(shuffled(lines, 1), past, WHOLE, as_of=as_of, are_choices_used=used))


def test_the_interval_that_is_judged_is_the_one_that_was_served() -> None:
    """Asked on a past day with what was known then, a forecast and its interval are those of the back-test."""
    until = {"month": pd.Timestamp("2011-09-01"), "week": pd.Timestamp("2011-09-05")}
    lines, whole = daily(), {grain: (WHOLE[grain][0], end) for grain, end in until.items()}
    known = lines[lines["day"] < until["week"]]
    used = {task.name: True for task in forecast.TASKS}
    past = forecast.backtests(known, whole)
    served = forecast.predicted(known, past, whole, as_of=until["week"], are_choices_used=used)
    judged = forecast.backtests(lines, WHOLE)
    judged = judged[judged["is_chosen"] & (judged["origin"] == judged["grain"].map(until))]
    key = ["kind", "series", "grain", "horizon", "period_start"]
    both = served.merge(judged, on=key, suffixes=("", "_judged"), validate="one_to_one")
    assert len(both) == len(judged) > 0 and both["low_80"].notna().any()
    for column in ("forecast", "low_80", "high_80", "low_95", "high_95"):
        assert both[column].to_numpy() == pytest.approx(both[f"{column}_judged"].to_numpy(), abs=0.006, nan_ok=True)


def test_the_interval_of_a_sum_is_that_of_past_sums() -> None:
    """Who orders for weeks at once: errors of single weeks partly cancel out, so it is narrower than these add up to.

    It holds the sum of what is forecast and is the same for each week.
    """
    lines = daily()
    lines = lines[lines["kind"] != "product"].replace({"kind": {"country": "product"}})
    past = forecast.backtests(lines, WHOLE)
    used = dict.fromkeys((task.name for task in forecast.TASKS), True)
    rows = forecast.predicted(lines, past, WHOLE, as_of=pd.Timestamp("2011-12-05"), are_choices_used=used)
    weeks = rows[rows["horizon"] == 4].groupby("series")
    sums, ends = weeks["forecast"].sum(), weeks[forecast.OF_SUMS].first()
    assert (weeks[forecast.OF_SUMS].nunique() == 1).all(axis=None)
    assert ((ends["sum_low_80"] < sums) & (sums < ends["sum_high_80"])).all()
    assert (ends["sum_high_80"] - ends["sum_low_80"] < weeks["high_80"].sum() - weeks["low_80"].sum()).all()


def test_products_are_judged_that_would_have_been_forecast() -> None:
    """Of a shop of ten years whose range is new every three: those that sold most before each day, of the last year.

    What sold best in its first year is long gone: to be right about that it sells nothing is no skill.
    """
    until = pd.Timestamp("2011-12-05")
    days = pd.date_range("2001-12-10", until - pd.Timedelta(days=1))
    spans = [(f"{place:02}-{place % 60:03}", 26 * 7 * place // 10) for place in range(200)]
    lines = pd.concat([
        pd.DataFrame({
            "kind": "product", "series": series, "day": days[start : start + 3 * 364], "amount": 10.0 + int(series[-2:])
        })
        for series, start in spans
    ])  # fmt: skip
    total = lines.groupby("day", as_index=False)["amount"].sum().assign(kind="total", series="All sales")
    lines = pd.concat([total, lines], ignore_index=True)
    whole = {"month": (pd.Timestamp("2002-01-01"), pd.Timestamp("2011-12-01")), "week": (days[0], until)}
    past = forecast.backtests(lines, whole)
    judged = past[(past["kind"] == "product") & past["is_chosen"]]
    assert (judged["origin"] >= until - pd.Timedelta(days=364)).all()
    for origin, asked in judged.groupby("origin"):
        year = lines[(lines["day"] < origin) & (lines["day"] >= pd.Timestamp(str(origin)) - pd.Timedelta(days=364))]
        sold = year[year["kind"] == "product"].groupby("series")["amount"].sum()
        assert set(asked["series"]) == set(sold.nlargest(forecast.BEST_SELLERS).index)
    used = dict.fromkeys([task.name for task in forecast.TASKS], True)
    ahead = forecast.predicted(lines, past, whole, as_of=until, are_choices_used=used)
    served = set(ahead.loc[ahead["kind"] == "product", "series"])
    last = set(judged.loc[judged["origin"] == judged["origin"].max(), "series"])
    assert len(served) == forecast.BEST_SELLERS and len(served & last) > 0.7 * forecast.BEST_SELLERS


def test_the_best_sellers_of_every_past_day_are_held(warehouse: Warehouse, tmp_path: Path) -> None:
    """Beside 49 that always sell: one gone since, and one that was among them on a single day of those for 13 weeks.

    One that never was is not held.
    """
    until = pd.Timestamp("2011-12-05")
    steady = [str(code) for code in range(20001, 20050)]
    sold = [(code, week, 1000) for code in steady for week in (103, 77, 51, 25)]
    sold += [("21002", week, 100) for week in (94, 68, 42, 16)]
    sold += [("21001", 95, 5000), ("21003", 27, 300), ("21004", 25, 400), ("21005", 80, 50)]
    days = {week: f"{until - pd.Timedelta(weeks=week):%Y-%m-%d} 10:00:00" for _, week, _ in sold}
    lines = [Line(f"5{code}{week}", code, quantity=units, invoice_date=days[week]) for code, week, units in sold]
    load_lines(warehouse, tmp_path, lines)
    build_tables(warehouse, *built_for("prediction_terms", "stock_codes"))
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update prediction_terms set as_of = '2011-12-05', observed_until = '2011-12-05', "
            "unavailable_because = null"
        )
    build_tables(warehouse, "daily_series")
    held = {row.series for row in warehouse.rows("select distinct series from daily_series where kind = 'product'")}
    assert held == {*steady, "21001", "21002", "21003", "21004"}


def test_the_interval_of_a_baseline_is_judged_as_well() -> None:
    """Where it forecasts, its interval is served: then the share that it held is measured, and it is what is used."""
    past = forecast.backtests(daily(), WHOLE)
    for task in forecast.TASKS:
        own = past[(past["kind"] == task.kind) & (past["grain"] == task.grain) & (past["horizon"] == task.horizon)]
        said = own[own["method"] == task.baseline].groupby("origin")["low_80"]
        assert (said.count() == said.size())[own.loc[own["is_chosen"] & own["low_80"].notna(), "origin"].unique()].all()
    worse = past.assign(forecast=past["forecast"].where(~past["is_chosen"], past["forecast"] * 3))
    rows = evaluation.evaluated(NOTHING, NOTHING, worse, JUDGED)
    is_asked = rows["task"] == "forecasts, country by week, 13 ahead"
    used = rows[is_asked & (rows["fold"] == "pooled") & rows["is_used"]]
    assert set(used["model"]) == {"same week last year"}
    assert {"wape", "bias", "coverage_80"} <= set(used["metric"])


def test_a_product_that_has_ended_is_forecast_to_sell_nothing() -> None:
    """It ended half a year before, so every method that looks at the last weeks says so."""
    lines = daily(ends=78)
    past = forecast.backtests(lines, WHOLE)
    used = {task.name: False for task in forecast.TASKS}
    rows = forecast.predicted(lines, past, WHOLE, as_of=pd.Timestamp("2011-12-05"), are_choices_used=used)
    product = rows[rows["kind"] == "product"]
    assert len(product) == 17 and (product["forecast"] == 0).all()


def test_a_partial_month_and_week_are_not_forecast_from() -> None:
    """The month that the data ends in is not whole; one before it is, whatever day it ended on."""
    months = pd.DataFrame({"invoice_month": pd.date_range("2010-01-01", "2011-12-01", freq="MS"), "is_partial": False})
    months.loc[months["invoice_month"] == "2011-12-01", "is_partial"] = True
    assert forecast.whole_periods(terms("2009-12-07"), months) == WHOLE
    whole = months.assign(is_partial=False)
    assert forecast.whole_periods(terms("2009-12-07"), whole)["month"][1] == pd.Timestamp("2012-01-01")


def terms(observed_from: str) -> pd.DataFrame:
    """Lines until 9 December 2011, asked as of the end of the year."""
    days = {"as_of": "2012-01-01", "observed_from": observed_from, "observed_until": "2011-12-10"}
    return pd.DataFrame({name: [pd.Timestamp(day)] for name, day in days.items()})


@pytest.mark.parametrize(
    ("began", "is_partial", "first"),
    [("2010-01-04", True, "2010-02-01"), ("2010-01-05", False, "2010-01-01"), ("2010-01-01", False, "2010-01-01")],
)
def test_the_month_that_data_begins_in_is_whole_by_one_rule(began: str, first: str, *, is_partial: bool) -> None:
    """That of monthly_metrics: a partial month is never compared, and one that began after a holiday is."""
    lines = daily()
    lines = lines[lines["day"] >= began]
    months = pd.DataFrame({"invoice_month": pd.date_range("2010-01-01", "2011-11-01", freq="MS"), "is_partial": False})
    months.loc[0, "is_partial"] = is_partial
    panel = forecast.panel_of(lines, "total", "month", forecast.whole_periods(terms(began), months)["month"])
    assert panel is not None and panel.begin(0) == pd.Timestamp(first)


def test_a_shop_that_begins_in_mid_month_is_forecast_by_month() -> None:
    """The partial month that it begins in is neither whole, nor the end of what is."""
    lines = daily()
    lines = lines[lines["day"] >= "2009-12-15"]
    months = pd.DataFrame({"invoice_month": pd.date_range("2009-12-01", "2011-12-01", freq="MS")})
    months["is_partial"] = months["invoice_month"].isin(pd.to_datetime(["2009-12-01", "2011-12-01"]))
    whole = forecast.whole_periods(terms("2009-12-15"), months)
    assert whole["month"] == WHOLE["month"]
    past = forecast.backtests(lines, whole)
    used = {task.name: False for task in forecast.TASKS}
    rows = forecast.predicted(lines, past, whole, as_of=WHOLE["week"][1], are_choices_used=used)
    monthly = rows[(rows["kind"] == "total") & (rows["grain"] == "month")]
    assert list(monthly["period_start"]) == list(pd.date_range("2011-12-01", periods=3, freq="MS"))


scores = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60)


@given(scores)
@settings(deadline=None)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, bool]]) -> None:
    """Equal scores count half; as a loop over all pairs counts it."""
    score, happened = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    found = evaluation.auc(score, happened)(np.ones((1, len(rows))))[0]
    pairs = [(above > below) + (above == below) / 2 for above in score[happened] for below in score[~happened]]
    assert np.isnan(found) if not pairs else found == pytest.approx(float(np.mean(pairs)))


def test_a_draw_weighs_as_if_rows_came_more_often() -> None:
    """A bootstrap by weights is one by rows."""
    score, happened = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    weights = np.array([[2.0, 1.0, 1.0, 3.0]])
    often = np.repeat(np.arange(4), weights[0].astype(int))
    repeated = evaluation.auc(score[often], happened[often])(np.ones((1, 7)))
    assert evaluation.auc(score, happened)(weights) == pytest.approx(repeated)


@given(st.lists(st.integers(0, 20), min_size=11, max_size=60))
@settings(deadline=None)
def test_tenths_are_of_customers(risk: list[int]) -> None:
    """As deciles cut them: as many in each but for one or two, in order of the risk; equals in the order given."""
    found = evaluation.tenths(np.array(risk, float))
    ranks = pd.Series(risk).rank(method="first")
    assert list(found) == list(pd.qcut(ranks, 10, labels=False))
    assert (np.diff(found[np.lexsort((range(len(risk)), risk))]) >= 0).all()
    assert found.min() == 0 and found.max() == 9
    assert np.ptp(np.bincount(found, minlength=10)) <= 2


JUDGED = pd.DataFrame(
    columns=["task", "as_of", "subject", "figure", "window_from", "window_until", "model", *log.LOG[8:], "actual"]
).astype(dict.fromkeys(("as_of", "window_from", "window_until"), "datetime64[us]") | dict.fromkeys(log.FIGURES, float))
"""No judged prediction, with the columns of the table."""


NOTHING = pd.DataFrame(columns=["horizon_days", "task", "as_of", "recency_days", "segment"])
"""No back-test."""


def evaluated(shop: dict[str, pd.DataFrame], **changed: Any) -> pd.DataFrame:
    given_ = {
        "values": value.backtests(shop["features"], shop["outcomes"], BEGAN),
        "risks": churn.backtests(shop["known"]).assign(task="churn_risk"),
        "forecasts": forecast.backtests(daily(), WHOLE),
    }
    return evaluation.evaluated(**(given_ | changed), live=JUDGED)


def test_every_figure_has_its_n_and_stands_beside_its_baseline(shop: dict[str, pd.DataFrame]) -> None:
    """And what cannot be judged says why; a card says it in words."""
    rows = evaluated(shop)
    assert not rows.duplicated(["task", "model", "fold", "metric", "source"]).any()
    known = rows[rows["value"].notna()]
    assert (known["n"] > 0).all()
    assert (known["ci_low"].isna() | ((known["ci_low"] <= known["value"]) & (known["value"] <= known["ci_high"]))).all()
    assert set(rows["task"]) == set(evaluation.all_tasks())
    (missing,) = rows[rows["task"] == evaluation.SLIPPING_TASK].to_dict("records")
    assert missing["unavailable_because"] == "No past window is over."
    made = cards.cards(rows, unavailable_because=None)
    assert "status quo" in made.set_index("task")["measured_error"]["customer_value"]


def test_the_order_of_judged_rows_changes_no_bit(shop: dict[str, pd.DataFrame]) -> None:
    """Of any figure or interval: floats are added up in one order."""
    given_ = {
        "values": value.backtests(shop["features"], shop["outcomes"], BEGAN),
        "risks": churn.backtests(shop["known"]).assign(task="churn_risk"),
        "forecasts": forecast.backtests(daily(), WHOLE),
    }
    mixed = {name: shuffled(frame, 1) for name, frame in given_.items()}
    same(evaluated(shop, **given_), evaluated(shop, **mixed))


def test_the_figures_that_decide_are_plotted(shop: dict[str, pd.DataFrame]) -> None:
    """Of whatever predicts: past days, and live once a window is over; nothing where there is no figure."""
    rows = evaluated(shop)
    active, task = next(iter(evaluation.CHURN_POPULATIONS)), "forecasts, total by month, 3 ahead"
    told = plotted(rows)
    assert not any(name.startswith("live") for name in told)
    assert f"auc of {evaluation.SLIPPING_TASK}" not in told
    of_past: Any = rows[(rows["fold"] == "pooled") & rows["is_used"]].set_index(["task", "metric"])["value"]
    assert told[f"auc of {active}"] == of_past[active, "auc"] and told[f"wape of {task}"] == of_past[task, "wape"]
    assert all(name.partition(" of ")[0] == evaluation.deciding(name.partition(" of ")[2]) for name in told)
    live = rows[(rows["task"] == task) & (rows["fold"] == "pooled")].assign(source="live", value=0.5)
    assert plotted(pd.concat([rows, live])) == told | {f"live wape of {task}": 0.5}


def test_a_model_that_does_not_beat_its_baseline_is_not_used(shop: dict[str, pd.DataFrame]) -> None:
    """The other way round, too: the same model is used where it is better."""
    values = value.backtests(shop["features"], shop["outcomes"], BEGAN)
    good = values.assign(purchases=values["actual_purchases"].astype(float))
    bad = values.assign(purchases=values["actual_purchases"] + 100.0)
    assert evaluation.is_used(evaluated(shop, values=good), evaluation.value_task(value.JUDGED))
    assert not evaluation.is_used(evaluated(shop, values=bad), evaluation.value_task(value.JUDGED))


@pytest.mark.parametrize("is_model_used", [True, False])
def test_what_was_told_stands_beside_what_came(shop: dict[str, pd.DataFrame], *, is_model_used: bool) -> None:
    """Each prediction once, by day and tenth of what predicts now: days that were too high and too low stay apart."""
    values = value.backtests(shop["features"], shop["outcomes"], BEGAN)
    risks = churn.backtests(shop["known"]).assign(task="churn_risk")
    better = values["actual_purchases"].astype(float) if is_model_used else values["actual_purchases"] + 100.0
    judged = evaluated(shop, values=values.assign(purchases=better))
    judged.loc[judged["task"] == next(iter(evaluation.CHURN_POPULATIONS)), "is_used"] &= is_model_used
    rows = calibration(values, risks, judged)
    sales = values[values["horizon_days"] == value.JUDGED]
    told = {
        "value": (sales, "sales" if is_model_used else "baseline_sales", "actual_sales"),
        "risk": (risks, "probability" if is_model_used else "baseline_probability", "happened"),
    }
    for kind, (asked, predicted, came) in told.items():
        own = rows[rows["kind"] == kind]
        assert own["as_of"].nunique() == asked["as_of"].nunique() > (kind == "risk")
        for as_of, tenths in own.groupby("as_of"):
            day = asked[asked["as_of"] == as_of]
            assert list(tenths["place"]) == list(range(1, 11)) and tenths["predicted"].is_monotonic_decreasing
            assert tenths["predictions"].sum() == len(day) and np.ptp(tenths["predictions"]) <= 2
            for column, source in (("predicted", predicted), ("came", came)):
                total = day[source].astype(float).sum()
                assert (tenths[column] * tenths["predictions"]).sum() == pytest.approx(total)
    same(rows, calibration(shuffled(values, 1), shuffled(risks, 2), judged))


def test_nothing_predicted_is_nothing_to_compare() -> None:
    """An empty table, of whatever types an empty frame has."""
    values, risks = pd.DataFrame(columns=value.BACKTESTS), pd.DataFrame(columns=["task", *churn.BACKTESTS])
    assert calibration(
        values, risks, evaluation.evaluated(values, risks, pd.DataFrame(columns=forecast.BACKTESTS), JUDGED)
    ).empty


def test_hindsight_is_not_kept(warehouse: Warehouse) -> None:
    """A moment in the past predicts what is known already: the log takes what is said before, and its check agrees."""
    (check,) = (check for check in CHECKS if check.name == "keep_every_prediction")

    def is_everything_kept() -> bool:
        return evaluate(check, PostgresTables(warehouse)).passed

    with warehouse.transaction() as connection:
        for table in ("customer_value", "churn_risk", "slipping", "forecasts", "customer_features", "prediction_terms"):
            execute_script(driver_cursor(connection), contract(table))
        connection.exec_driver_sql(
            "insert into customer_value values (1, 90, '2011-09-01', 'baseline', null, 0, 1, 2, 0, 5, 9, 20, 25, 1, 1)"
        )
        connection.exec_driver_sql(
            "insert into prediction_terms values "
            "('2011-09-01', '2009-12-01', '2011-09-01', '2010-01-01', false, 900, 0, null)"
        )
    build_tables(warehouse, "logged_predictions")
    assert not warehouse.rows("select * from prediction_log")
    assert is_everything_kept()
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("update prediction_terms set is_ahead = true")
    assert not is_everything_kept()
    build_tables(warehouse, "logged_predictions")
    assert len(warehouse.rows("select * from prediction_log")) == 2
    assert is_everything_kept()


@pytest.mark.parametrize(("as_of", "is_ahead"), [("", True), ("2011-03-05", True), ("2011-03-04", False)])
def test_a_moment_is_ahead_of_all_lines_or_in_the_past(
    warehouse: Warehouse, tmp_path: Path, as_of: str, is_ahead: bool
) -> None:
    """The last line is of 4 March: whoever asks as of that morning knows what came."""
    load_lines(warehouse, tmp_path, [Line("1", invoice_date=f"2011-03-{day} 10:00:00") for day in ("03", "04")])
    build_tables(warehouse, *built_for("prediction_terms"), as_of=as_of)
    assert [row.is_ahead for row in warehouse.rows("select is_ahead from prediction_terms")] == [is_ahead]
