"""Predictions as they were made, judged by what the lines say came: from the log to the figures of their past error."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from lgs_assets.contracts.contract import contract
from lgs_assets.contracts.declaration import in_order
from lgs_assets.lake.duckdb import DuckDB
from lgs_assets.models import cards, churn, evaluation, forecast, log, slipping, value
from lgs_assets.warehouse import prediction_log
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame, read_rows
from lgs_assets_tests.builders import Line, build_tables, load_lines, model
from lgs_assets_tests.warehouse.evidence import exact

AS_OF = pd.Timestamp("2011-01-15")
"""A day within a month, which is no moment of customer_features later on."""
COUNTRIES = {1: "United Kingdom", 2: "France", 3: "Norway"}


def sale(customer: int, day: str, stock_code: str = "22041", quantity: int = 1) -> Line:
    return Line(
        f"5{customer}{day.replace('-', '')[2:]}", stock_code, quantity=quantity, invoice_date=f"{day} 10:00:00",
        unit_price="10", customer_id=str(customer), country=COUNTRIES.get(customer, "United Kingdom"),
    )  # fmt: skip


LINES = [
    *(sale(customer, "2010-12-10") for customer in range(1, 11)),
    *(sale(customer, f"2011-02-{customer:02}") for customer in range(1, 6)),
    sale(2, "2011-03-01"),
    sale(3, "2011-02-08", "84879", 7),
    sale(1, "2010-12-11", "71053"),
    sale(1, "2011-08-01"),
]
"""Five of ten customers buy again; 84879 sells once, and 71053 had its last sale before the day."""


def predicted(task: str, *rows: dict[str, Any], version: str = "a" * 64, **same: Any) -> pd.DataFrame:
    """Predictions with the columns of the log."""
    told = {"task": task, "model_version": version, "as_of": AS_OF, "window_from": AS_OF} | same
    frame = pd.DataFrame([told | row for row in rows], columns=log.LOG)
    return frame.assign(**{name: frame[name].astype(float) for name in log.FIGURES})


def logged() -> Iterator[pd.DataFrame]:
    """What was said on the day: of every task something, beside what its baseline said."""
    rows: list[dict[str, Any]]
    for figure in ("purchases", "sales"):
        told: dict[str, Any] = {"low": 0, "point": 1, "high": 2, "baseline": 3, "figure": figure, "model": value.MODEL}
        for days in (90, 182):
            rows = [told | {"subject": str(customer)} for customer in range(1, 11)]
            yield predicted("customer_value", *rows, window_until=AS_OF + pd.Timedelta(days=days))
    rows = [{"subject": str(n), "point": n / 20, "segment": "Loyal Customers", "baseline": 36} for n in range(1, 11)]
    until = AS_OF + pd.Timedelta(days=90)
    yield predicted("churn_risk", *rows, figure="probability", model=churn.MODEL, window_until=until)
    rows = [{"subject": str(n), "point": 11 - n, "segment": "Champions", "baseline": 1} for n in range(1, 11)]
    until = AS_OF + pd.DateOffset(months=3)
    yield predicted("slipping", *rows, figure="rank", model=slipping.MODEL, window_until=until)
    series = (
        "total: All sales",
        "country: United Kingdom",
        "country: Other countries",
        "product: 84879",
        "product: 71053",
    )
    told = {"low": 10, "point": 20, "high": 90, "low_95": 0, "high_95": 95, "baseline": 40, "model": "a method"}
    for horizon, grain in ((3, "month"), (13, "week"), (4, "week")):
        rows = [told | {"subject": subject} for subject in series]
        yield predicted(
            "forecasts", *rows, figure=f"amount by {grain}, {horizon} ahead",
            window_from=pd.Timestamp("2011-02-07" if grain == "week" else "2011-02-01"),
            window_until=pd.Timestamp("2011-02-14" if grain == "week" else "2011-03-01"),
        )  # fmt: skip


@pytest.fixture
def judged(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse whose windows are over; what sells best is not asked."""
    load_lines(warehouse, tmp_path, LINES)
    for predictions in logged():
        prediction_log.keep(warehouse, predictions)
    build_tables(
        warehouse,
        "clean_invoices",
        "invoice_totals",
        "stock_codes",
        "customer_days",
        "prediction_terms",
        "judged_predictions",
    )
    return warehouse


def actual(warehouse: Warehouse, task: str, **asked: str) -> dict[str, float]:
    which = " and ".join(f"{name} = :{name}" for name in asked)
    rows = warehouse.rows(
        f"select subject, actual from judged_predictions where task = :task {f'and {which}' if which else ''}",
        task=task, **asked,
    )  # fmt: skip
    return {row.subject: float(row.actual) for row in rows}


def test_what_sold_nothing_is_judged_as_well(judged: Warehouse) -> None:
    """A product that nobody bought any more, and that no table of best sellers holds today."""
    came = actual(judged, "forecasts", figure="amount by week, 4 ahead")
    assert came["product: 71053"] == 0 and came["product: 84879"] == 7


def test_other_countries_are_those_that_were_not_named(judged: Warehouse) -> None:
    """Whichever sell most today: of February £20 are of the two customers abroad, and £70 of another product."""
    came = actual(judged, "forecasts", figure="amount by month, 3 ahead")
    assert came["total: All sales"] == 120 and came["country: United Kingdom"] == 30
    assert came["country: Other countries"] == 90


def test_slipping_is_judged_from_any_day(judged: Warehouse) -> None:
    """By the rule of the segments on the last day of the window: of those who stayed away one still scores 3 and 3."""
    came = actual(judged, "slipping")
    assert len(came) == 10
    assert {subject for subject, slipped in came.items() if slipped} == {"6", "7", "8", "9"}


def test_a_customer_of_whom_nothing_is_left_is_still_judged(judged: Warehouse, tmp_path: Path) -> None:
    """Their lines were taken back: no purchase, no sales, and no good customer."""
    load_lines(judged, tmp_path, [line for line in LINES if line.customer_id != "5"])
    build_tables(
        judged,
        "clean_invoices",
        "invoice_totals",
        "stock_codes",
        "customer_days",
        "prediction_terms",
        "judged_predictions",
    )
    assert actual(judged, "slipping")["5"] == actual(judged, "churn_risk")["5"] == 1
    assert actual(judged, "customer_value", figure="sales")["5"] == 0


def test_only_the_last_word_on_a_moment_is_judged(judged: Warehouse) -> None:
    """Made again from the same moment with another country by name: the others are those beside it."""
    told = {"point": 20, "model": "a method", "figure": "amount by month, 3 ahead", "baseline": 40}
    rows = [told | {"subject": f"country: {name}"} for name in ("France", "Other countries")]
    window = {"window_from": pd.Timestamp("2011-02-01"), "window_until": pd.Timestamp("2011-03-01")}
    prediction_log.keep(judged, predicted("forecasts", *rows, version="b" * 64, **window))
    build_tables(judged, "judged_predictions")
    assert actual(judged, "forecasts") == {"country: France": 10, "country: Other countries": 110}


def test_a_month_whose_lines_never_came_judges_no_forecast(judged: Warehouse) -> None:
    """Nor does a week that reaches into it: April has no line, though August has."""
    told = {"point": 20, "model": "a method", "figure": "amount by week, 13 ahead", "subject": "total: All sales"}
    weeks = pd.to_datetime(["2011-03-21", "2011-03-28", "2011-04-04"])
    rows = [told | {"window_from": week, "window_until": week + pd.Timedelta(days=7)} for week in weeks]
    month = {"window_from": pd.Timestamp("2011-04-01"), "window_until": pd.Timestamp("2011-05-01")}
    rows.append(told | {"figure": "amount by month, 3 ahead"} | month)
    prediction_log.keep(judged, predicted("forecasts", *rows, version="b" * 64))
    build_tables(judged, "judged_predictions")
    kept = judged.rows("select window_from from judged_predictions where task = 'forecasts'")
    assert [pd.Timestamp(row.window_from) for row in kept] == [pd.Timestamp("2011-03-21")]


JUDGING = ("clean_invoices", "invoice_totals", "stock_codes", "customer_days", "prediction_terms", "judged_predictions")


@pytest.mark.parametrize(("last", "is_judged"), [("2011-04-13", False), ("2011-04-14", True), ("2011-04-15", True)])
def test_a_prediction_is_judged_once_its_window_is_over(
    warehouse: Warehouse, tmp_path: Path, last: str, *, is_judged: bool
) -> None:
    """Its 90 days end with 14 April: a day too early nothing is said, though a customer may have bought by then."""
    bought = [sale(1, "2010-12-10"), sale(1, "2011-02-01"), sale(2, "2010-12-10"), sale(3, last)]
    load_lines(warehouse, tmp_path, bought)
    until = AS_OF + pd.Timedelta(days=90)
    assert until == pd.Timestamp("2011-04-15")
    rows = [{"subject": str(n), "point": 0.5, "segment": "Champions", "baseline": 36.0} for n in (1, 2)]
    prediction_log.keep(
        warehouse, predicted("churn_risk", *rows, figure="probability", model=churn.MODEL, window_until=until)
    )
    build_tables(warehouse, *JUDGING, as_of="2011-12-01")
    assert actual(warehouse, "churn_risk") == ({"1": 0, "2": 1} if is_judged else {})


def test_what_is_judged_does_not_grow_with_the_log(warehouse: Warehouse, tmp_path: Path) -> None:
    """Of customers, a year of moments is: as many for each length of the window, however long some have been over."""
    load_lines(warehouse, tmp_path, [sale(1, "2010-01-04"), sale(1, "2013-01-04")])
    asked = pd.to_datetime(["2010-06-01", "2010-12-01", "2011-06-01", "2011-12-01"])
    told: dict[str, Any] = {"subject": "1", "point": 1, "figure": "sales", "model": value.MODEL}
    for days, moments in ((90, asked), (365, asked[:2])):
        window = pd.Timedelta(days=days)
        rows = [told | {"as_of": day, "window_from": day, "window_until": day + window} for day in moments]
        prediction_log.keep(warehouse, predicted("customer_value", *rows, version=f"{days:064}"))
    build_tables(warehouse, *JUDGING)
    kept = warehouse.rows("select as_of, window_until - window_from as days from judged_predictions order by 2, 1")
    assert [(row.days, f"{row.as_of:%Y-%m}") for row in kept] == [
        (90, "2011-06"), (90, "2011-12"), (365, "2010-06"), (365, "2010-12"),
    ]  # fmt: skip


def test_the_lake_judges_the_same(judged: Warehouse) -> None:
    """Of a log that holds every task, DuckDB makes the rows that PostgreSQL makes."""
    made = model("judged_predictions")
    inputs = {name: read_rows(judged, {name: columns})[name] for name, columns in made.reads.items()}
    theirs = exact(judged, "judged_predictions")
    ours = DuckDB().rows(in_order("judged_predictions", made.select), inputs, made.parameters)
    assert len(theirs) > 0 and ours.cast(theirs.schema).equals(theirs)


def test_every_task_has_live_figures_beside_its_baseline(judged: Warehouse) -> None:
    """From the log to model_evaluations: the same figures as past days have, of each horizon and population."""
    nothing = pd.DataFrame(
        columns=["kind", "grain", "horizon", "horizon_days", "task", "as_of", "recency_days", "segment"]
    )
    frame = read_frame(judged, "judged_predictions")
    rows = evaluation.evaluated(nothing, nothing, nothing, frame)
    mixed = evaluation.evaluated(nothing, nothing, nothing, frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(rows, mixed, check_exact=True)
    pooled = rows[(rows["source"] == "live") & (rows["fold"] == evaluation.POOLED)]
    live: Any = pooled.set_index(["task", "model", "metric"])
    deciding = [(task, evaluation.deciding(task)) for task in evaluation.all_tasks() if "365" not in task]
    judged_live = {(task, metric) for task, _, metric in live.index[live["baseline_value"].notna()]}
    # When a purchase is due is judged on past days alone.
    assert set(deciding) - judged_live == {(evaluation.DUE_TASK, "within_14_days")}
    own: Any = live.xs(("customer_value, 90 days", value.MODEL))
    assert own.loc["mae_purchases", "value"] == pytest.approx(0.7)
    assert own.loc["mae_purchases", "baseline_value"] == pytest.approx(2.3)
    assert own.loc["coverage_80_purchases", "value"] == 1
    assert {"top_decile_share", "coverage_80_sales"} <= set(own.index)
    risk: Any = live.xs(("churn_risk, active in the last 365 days", churn.MODEL))
    assert risk.loc["auc", "value"] == 1 and risk.loc["auc", "baseline_value"] == 0.5
    beside: Any = live.xs(("forecasts, country by month, 3 ahead", "same month last year"))
    assert "coverage_80" not in beside.index, "the interval was not the baseline's"
    sold: Any = live.xs(("forecasts, country by month, 3 ahead", evaluation.CHOSEN))
    assert sold.loc["wape", "value"] == pytest.approx((10 + 70) / 120)
    assert sold.loc["coverage_80", "value"] == sold.loc["coverage_95", "value"] == 1


def test_what_was_kept_without_its_baseline_is_judged_alone(judged: Warehouse) -> None:
    """By an earlier version of the platform: its figures stand, without a comparison."""
    frame = read_frame(judged, "judged_predictions")
    frame = frame.assign(baseline=np.nan, segment=None, low_95=np.nan, high_95=np.nan)
    nothing = pd.DataFrame(
        columns=["kind", "grain", "horizon", "horizon_days", "task", "as_of", "recency_days", "segment"]
    )
    rows = evaluation.evaluated(nothing, nothing, nothing, frame)
    live = rows[rows["source"] == "live"]
    assert {"customer_value, 90 days", "churn_risk, active in the last 365 days"} <= set(live["task"])
    assert live["baseline_value"].isna().all()


@pytest.mark.parametrize(("errors", "known"), [(7, []), (8, [80]), (18, [80]), (19, [80, 95]), (39, [80, 95])])
def test_few_errors_say_nothing_of_rare_ones(errors: int, known: list[int]) -> None:
    """An interval of 95 % needs more past errors than one of 80 %; where there are too few, there is none."""
    over = pd.DataFrame({
        "series": "All sales", "origin": AS_OF, "period_start": pd.date_range(AS_OF, periods=errors),
        "forecast": 100.0, "actual": 100.0 + np.arange(errors),
    })  # fmt: skip
    ends = forecast.interval(over.head(1), over)
    assert [level for level in forecast.LEVELS if ends[f"low_{level}"].notna().all()] == known
    assert [level for level in forecast.LEVELS if ends[f"high_{level}"].notna().all()] == known


def test_an_interval_holds_as_much_as_it_says() -> None:
    """Of errors like those that it was made from, whichever way they lean."""
    generator = np.random.default_rng(1)
    held = {80: 0, 95: 0}
    for _ in range(400):
        errors = generator.gamma(2, 1, 41)
        for level, beyond in forecast.LEVELS.items():
            low, high = forecast._middle(errors[:40], beyond)
            held[level] += bool(low <= errors[40] <= high)
    assert 0.75 <= held[80] / 400 <= 0.87
    assert 0.92 <= held[95] / 400 <= 0.985


def test_steps_with_many_errors_have_intervals_of_their_own() -> None:
    """What is further ahead is harder to see: its interval is wider, if enough errors show it."""
    generator, weeks = np.random.default_rng(1), pd.date_range(AS_OF, periods=25, freq="14D")
    over = pd.DataFrame({"series": np.repeat([f"P{n}" for n in range(10)], 50), "origin": [*weeks.repeat(2)] * 10})
    over["period_start"] = over["origin"] + pd.to_timedelta(np.tile([0, 7], 250), unit="D")
    over = over.assign(forecast=100.0, actual=100 + generator.normal(0, 1, 500) * np.tile([5, 50], 250))

    def widths(over: pd.DataFrame) -> list[float]:
        ends = forecast.interval(over, over)
        return list((ends["high_80"] - ends["low_80"]).groupby(over["period_start"] - over["origin"]).mean())

    near, far = widths(over)
    assert far > 5 * near
    near, far = widths(over[over["series"] < "P4"])
    assert far == pytest.approx(near, rel=0.3)


def far_off(sizes: dict[str, float], weeks: int = 60) -> pd.DataFrame:
    """Finished forecasts of 100 of series that are off by so much."""
    generator, starts = np.random.default_rng(1), pd.date_range(AS_OF, periods=weeks, freq="7D")
    over = pd.DataFrame({"series": list(sizes) * weeks, "origin": np.repeat(starts, len(sizes))})
    errors = generator.normal(0, 1, len(over)) * over["series"].map(sizes)
    return over.assign(period_start=over["origin"], forecast=100.0, actual=100 + errors)


def test_no_series_widens_the_intervals_of_the_others() -> None:
    """Each has errors of its own size; one that nobody has seen is taken to be as hard to foresee as is usual."""
    asked = pd.DataFrame({"series": ["calm", "fair", "wild", "new"], "period_start": AS_OF, "forecast": 100.0})
    over = far_off({"calm": 1, "fair": 10, "wild": 500})
    calm, fair, wild, new = forecast.interval(asked, over)["high_80"] - 100
    assert 0.5 < calm < 2 and 300 < wild < 1000
    assert new == pytest.approx(fair, rel=0.1)


def test_a_product_that_has_just_begun_is_taken_to_be_like_the_others() -> None:
    """Forecast on one day, as it took off, a hundred times too low: that is no measure of what it will be off by."""
    asked = pd.DataFrame({"series": ["began", "new"], "period_start": AS_OF, "forecast": 100.0})
    began = pd.DataFrame({
        "series": "began", "origin": AS_OF, "period_start": pd.date_range(AS_OF, periods=4, freq="7D"),
        "forecast": 10.0, "actual": 1000.0,
    })  # fmt: skip
    over = pd.concat([far_off({"A": 10, "B": 20, "C": 30}), began], ignore_index=True)
    told, unseen = forecast.interval(asked, over)["high_80"] - 100
    assert told == pytest.approx(unseen) and told < 100


def test_a_series_that_was_never_off_has_an_interval_with_width() -> None:
    """A few exact forecasts are luck: the fewer they were, the more it is taken to be like the others."""
    asked = pd.DataFrame({"series": "exact", "period_start": [AS_OF], "forecast": [100.0]})
    others, widths = far_off({"A": 10, "B": 20, "C": 30}), []
    for weeks in (2, 20):
        ends = forecast.interval(asked, pd.concat([others, far_off({"exact": 0}, weeks)], ignore_index=True))
        widths.append(float((ends["high_80"] - ends["low_80"]).iloc[0]))
    few, many = widths
    assert few > 3 * many > 0


def test_the_order_of_past_errors_changes_no_bit_of_an_interval() -> None:
    """Floats are added up in one order, whatever order rows come in."""
    over = far_off({"A": 10, "B": 20, "C": 3000})
    over["forecast"] = np.random.default_rng(3).gamma(0.5, 300, len(over))
    asked = over.head(3)
    for seed in range(20):
        found = forecast.interval(asked, over.sample(frac=1, random_state=seed))
        pd.testing.assert_frame_equal(found, forecast.interval(asked, over), check_exact=True)


def risks(score: list[float], baseline: list[float], happened: list[bool]) -> pd.DataFrame:
    """Back-tests of so many customers on one day."""
    return pd.DataFrame({
        "task": "churn_risk", "as_of": AS_OF, "customer_id": range(len(score)), "recency_days": 100,
        "segment": "At Risk", "score": score, "probability": score, "baseline_score": baseline,
        "baseline_probability": baseline, "bgnbd_score": score, "happened": happened,
        "expected_next_day": pd.NaT, "baseline_next_day": pd.NaT, "next_day": pd.NaT,
    })  # fmt: skip


EMPTY = pd.DataFrame(columns=["kind", "grain", "horizon", "horizon_days", "task", "as_of", "recency_days", "segment"])
"""No back-tests."""
NOT_JUDGED = pd.DataFrame(
    columns=["task", "as_of", "subject", "figure", "window_from", "window_until", "model", *log.LOG[8:], "actual"]
).astype(dict.fromkeys(("as_of", "window_from", "window_until"), "datetime64[us]") | dict.fromkeys(log.FIGURES, float))


def test_the_baseline_is_calibrated_by_itself() -> None:
    """Where it predicts, its probability is shown: whether that holds is not the model's affair."""
    happened = [True] * 50 + [False] * 50
    wrong_order = risks([0.1] * 50 + [0.9] * 50, [1.0] * 50 + [0.0] * 50, happened)
    rows = evaluation.evaluated(EMPTY, wrong_order, EMPTY, NOT_JUDGED)
    assert not evaluation.is_used(rows, "churn_risk, active in the last 365 days")
    assert evaluation.calibration(rows) == 0
    rows = evaluation.evaluated(EMPTY, risks([0.7] * 50 + [0.6] * 50, [0.5] * 100, happened), EMPTY, NOT_JUDGED)
    assert evaluation.is_used(rows, "churn_risk, active in the last 365 days")
    assert evaluation.calibration(rows) == pytest.approx(0.45)


def test_a_difference_that_chance_would_make_is_not_shown() -> None:
    """The same customers are drawn for both, so a small difference that is everywhere shows, and luck does not."""
    generator = np.random.default_rng(1)
    happened = list(generator.random(300) < 0.5)
    noise, other = generator.random(300), generator.random(300)
    signal = noise + np.array(happened) * 0.5

    def difference(own: Any, beside: Any) -> Any:
        rows = evaluation.evaluated(EMPTY, risks(list(own), list(beside), happened), EMPTY, NOT_JUDGED)
        rows = rows[(rows["fold"] == "pooled") & (rows["metric"] == "auc") & (rows["model"] == churn.MODEL)]
        return rows[rows["task"] == "churn_risk, active in the last 365 days"].iloc[0]

    told = difference(signal / 1.5, noise)
    assert told["difference"] == pytest.approx(told["value"] - told["baseline_value"])
    assert evaluation.is_difference_shown(told["difference_low"], told["difference_high"])
    chance = difference(noise, other)
    assert chance["difference_low"] <= chance["difference"] <= chance["difference_high"]
    assert not evaluation.is_difference_shown(chance["difference_low"], chance["difference_high"])


def test_expected_purchases_are_judged() -> None:
    """By how many of all who were due came within two weeks of the day that was shown: who did not come is a miss.

    Whoever was late already, or is due so late that the 90 days do not hold two weeks more, has no such day.
    """
    told = risks([0.5] * 6, [0.5] * 6, [False] * 6).assign(
        expected_next_day=pd.to_datetime(["2010-12-01", "2011-04-01", *["2011-02-01"] * 4]),
        baseline_next_day=pd.Timestamp("2011-02-10"),
        next_day=pd.to_datetime(["2011-01-20", "2011-04-14", "2011-02-15", "2011-02-16", "2011-04-01", "NaT"]),
    )
    rows = evaluation.evaluated(EMPTY, told, EMPTY, NOT_JUDGED)
    rows = rows[(rows["task"] == evaluation.DUE_TASK) & (rows["fold"] == "pooled")]
    found: Any = rows.set_index(["model", "metric"])
    assert found["value"].to_dict() == pytest.approx({
        (churn.GAP, "within_14_days"): 1 / 4, (churn.GAP, "mae_next_day"): (14 + 15 + 59) / 3,
        (churn.GAP_BASELINE, "within_14_days"): 2 / 4, (churn.GAP_BASELINE, "mae_next_day"): (5 + 6 + 50) / 3,
        (churn.FORTNIGHT, "within_14_days"): 0, (churn.FORTNIGHT, "mae_next_day"): (17 + 18 + 62) / 3,
    })  # fmt: skip
    assert found["n"].to_dict() == {
        (model, metric): n
        for model in (churn.GAP, churn.GAP_BASELINE, churn.FORTNIGHT)
        for metric, n in (("within_14_days", 4), ("mae_next_day", 3))
    }
    assert not evaluation.is_used(evaluation.evaluated(EMPTY, told, EMPTY, NOT_JUDGED), evaluation.DUE_TASK)


def test_a_day_on_which_nobody_did_it_silences_no_other() -> None:
    """Pooled are the days that say something, with their n: a model right on all of them is not thrown out for it."""
    happened = [True] * 20 + [False] * 20
    days = [
        risks([0.9] * 20 + [0.1] * 20, [0.5] * 40, came).assign(as_of=AS_OF + pd.DateOffset(months=3 * place))
        for place, came in enumerate([happened, [False] * 40, happened, [True] * 40])
    ]
    rows = evaluation.evaluated(EMPTY, pd.concat(days), EMPTY, NOT_JUDGED)
    task = "churn_risk, active in the last 365 days"
    assert evaluation.is_used(rows, task)
    is_asked = (rows["task"] == task) & (rows["metric"] == "auc") & (rows["model"] == churn.MODEL)
    found: Any = rows[is_asked].set_index("fold")
    assert found.loc["pooled", ["value", "baseline_value", "n"]].tolist() == [1, 0.5, 80]
    assert found["value"].isna().sum() == 2
    nothing = evaluation.evaluated(EMPTY, days[1], EMPTY, NOT_JUDGED)
    assert not evaluation.is_used(nothing, task)


def test_a_closed_quarter_has_no_error_of_its_total() -> None:
    """A share of nothing is no figure, nor a warning; that of the days on which something came stands."""
    told = pd.DataFrame({
        "horizon_days": 90, "as_of": [AS_OF] * 4 + [AS_OF + pd.DateOffset(months=6)] * 4,
        "customer_id": [1, 2, 3, 4] * 2, "purchases_low": np.nan, "purchases": 2.0, "sales": 20.0,
        "baseline_purchases": 3.0, "baseline_sales": 30.0, "actual_purchases": [0.0] * 4 + [1.0] * 4,
        "actual_sales": [0.0] * 4 + [10.0] * 4,
    })  # fmt: skip
    rows = evaluation.evaluated(told, EMPTY, EMPTY, NOT_JUDGED)
    is_asked = (rows["task"] == "customer_value, 90 days") & (rows["fold"] == "pooled") & (rows["model"] == value.MODEL)
    found: Any = rows[is_asked].set_index("metric")
    assert found.loc["total_error_sales", ["value", "baseline_value", "n"]].tolist() == [1, 2, 4]
    assert found.loc["mae_sales", ["value", "n"]].tolist() == [15, 8]
    assert np.isfinite(found[["value", "ci_low", "ci_high"]].to_numpy(float)).all()


@pytest.mark.parametrize(("known", "is_drawn"), [(2, False), (3, True), (6, True)])
def test_coverage_is_drawn_from_origins_that_had_an_interval(known: int, is_drawn: bool) -> None:
    """The others can hold nothing: two origins of six say as little of chance as two."""
    origins = pd.date_range("2010-01-01", periods=6, freq="MS")
    told = pd.DataFrame({
        "kind": "total", "grain": "month", "horizon": 3, "series": "All sales", "origin": origins,
        "period_start": origins, "method": "same month last year", "is_chosen": True, "is_learnt": False,
        "forecast": 100.0, "actual": [101.0, 99.0, 250.0] * 2, **dict.fromkeys(forecast.OF_SUMS, np.nan),
    })  # fmt: skip
    has_interval = np.arange(6) >= 6 - known
    for level in forecast.LEVELS:
        told[f"low_{level}"], told[f"high_{level}"] = (np.where(has_interval, end, np.nan) for end in (90.0, 110.0))
    rows = evaluation.evaluated(EMPTY, EMPTY, told, NOT_JUDGED)
    is_asked = (rows["model"] == evaluation.CHOSEN) & (rows["fold"] == evaluation.POOLED)
    found: Any = rows[is_asked].set_index("metric")
    for level in forecast.LEVELS:
        figure = found.loc[f"coverage_{level}"]
        assert figure["n"] == known and figure["value"] == pytest.approx({2: 1 / 2, 3: 2 / 3, 6: 2 / 3}[known])
        assert pd.notna(figure["ci_low"]) == is_drawn
    assert pd.notna(found.loc["wape", "ci_low"])


def test_a_baseline_without_an_interval_is_not_said_to_hold_anything(judged: Warehouse) -> None:
    """Where the status quo predicted, what came is judged by its errors alone."""
    frame = read_frame(judged, "judged_predictions")
    frame.loc[frame["task"] == "customer_value", ["low", "high"]] = np.nan
    rows = evaluation.evaluated(EMPTY, EMPTY, EMPTY, frame.assign(model=value.BASELINE))
    metrics = set(rows.loc[(rows["task"] == "customer_value, 90 days") & (rows["source"] == "live"), "metric"])
    assert "mae_sales" in metrics and not {"coverage_80_purchases", "coverage_80_sales"} & metrics


def test_a_card_says_which_horizon_is_whose() -> None:
    """Where the baseline predicts one of them, a reader cannot guess whose errors these are."""
    used = dict(
        zip(map(evaluation.value_task, value.HORIZONS), [value.MODEL, value.MODEL, value.BASELINE], strict=True)
    )
    rows = pd.DataFrame({
        "task": used.keys(), "model": used.values(), "fold": evaluation.POOLED, "metric": "mae_sales", "value": 9.0,
        "ci_low": np.nan, "baseline_value": np.nan, "n": 5, "is_used": True, "source": "back-test",
    })  # fmt: skip
    rows = pd.concat([rows, rows.assign(fold="2010-12-01")])
    page = cards.page(cards.cards(rows, unavailable_because=None).iloc[0])
    assert [line for line in page.splitlines() if line.startswith("- ")] == [
        f"- {task}, by {used[task]}, mean of 1 past day" for task in used
    ]
    alone = cards.cards(rows.assign(model=value.MODEL), unavailable_because=None)
    assert ", by " not in alone["measured_error"].iloc[0]


def test_a_card_tells_the_best_and_the_worst_of_the_days() -> None:
    """Their mean hides a season that was missed; its interval is of customers, not of days."""
    rows = pd.DataFrame({
        "task": evaluation.value_task(182), "model": value.MODEL, "metric": "total_error_sales", "source": "back-test",
        "fold": [evaluation.POOLED, "2010-09-01", "2010-12-01", "2011-03-01"], "value": [0.2, 0.01, 0.05, 0.54],
        "ci_low": 0.19, "ci_high": 0.21, "baseline_value": np.nan, "n": 5, "is_used": True,
    })  # fmt: skip
    (card, *_) = cards.cards(rows, unavailable_because=None)["measured_error"]
    assert card.startswith(
        "customer_value, 90 days: not measured yet. customer_value, 182 days, mean of 3 past days: "
        "error of the total of sales 20.0% (19.0% to 21.0%), by day 1.0% to 54.0%, n 5."
    )


def test_a_card_says_nothing_of_other_data_that_only_those_of_uci_have_shown() -> None:
    """What was found there is said to be from there: no error and no season is claimed of a shop that has none yet."""
    nothing = evaluation.evaluated(EMPTY, EMPTY, EMPTY, NOT_JUDGED)
    told = cards.cards(nothing, unavailable_because=None)[["purpose", "rule", "limits"]].to_numpy().ravel()
    for text in told:
        assert not re.search(r"been far off|Two years|level shifts", text)
        assert "in view" not in text or "UCI" in text


def test_a_card_tells_what_was_gained_by_choosing_in_view() -> None:
    """Beside the error of the forecasts stands what it would have been without the method that was set."""
    task = forecast.TASKS[2].name
    rows = pd.DataFrame({
        "task": task, "model": [evaluation.CHOSEN, evaluation.LEARNT], "fold": evaluation.POOLED, "metric": "wape",
        "source": "back-test", "value": [0.149, 0.182], "ci_low": np.nan, "baseline_value": np.nan, "n": 52,
        "is_used": [True, False],
    })  # fmt: skip
    page = cards.page(cards.cards(rows, unavailable_because=None).iloc[-1])
    assert [line for line in page.splitlines() if line.startswith("  - ") and "not measured" not in line] == [
        "  - absolute errors as a share of the actual total 14.9%, n 52",
        f"  - {evaluation.LEARNT}: absolute errors as a share of the actual total 18.2%, n 52",
    ]


def test_a_card_has_live_figures_once_there_are_any() -> None:
    """Beside those of past days, with their n and interval; until then nothing is said of them."""
    task = "forecasts, total by month, 3 ahead"
    past = pd.DataFrame({
        "task": task, "model": evaluation.CHOSEN, "fold": evaluation.POOLED, "metric": "wape", "source": "back-test",
        "value": [0.09], "ci_low": 0.08, "ci_high": 0.1, "n": 30, "baseline": "last year", "baseline_value": 0.1,
        "difference_low": -0.02, "difference_high": 0.01, "is_used": True,
    })  # fmt: skip
    past = pd.concat([past, past.assign(fold="2011-01-01")])
    told: Any = cards.cards(past, unavailable_because=None).set_index("task").loc["forecasts", "measured_error"]
    assert "live" not in told
    live = past.assign(source="live", value=0.12, ci_low=0.11, ci_high=0.14, n=7, difference_high=-0.01)
    card: Any = cards.cards(pd.concat([past, live]), unavailable_because=None).set_index("task").loc["forecasts"]
    assert card["measured_error"].startswith(told.partition(" forecasts, country")[0])
    lines = cards.page(card.rename_axis(None).to_frame().T.reset_index(names="task").iloc[0]).splitlines()
    at = lines.index(f"- {task}, live, all values of 1 day")
    assert lines[at + 1].endswith("actual total 12.0% (11.0% to 14.0%), last year 10.0%, n 7")


def past_months(months: int, offs: list[float], baseline_offs: list[float]) -> pd.DataFrame:
    """Back-tests of 100 three months ahead from each month on; `offs` is how far off each origin was."""
    origins = pd.date_range("2010-01-01", periods=len(offs), freq="MS")
    asked = [
        (origin, origin + pd.DateOffset(months=step), place)
        for place, origin in enumerate(origins)
        for step in range(months)
    ]
    told = pd.DataFrame(asked, columns=["origin", "period_start", "place"]).assign(
        kind="total", grain="month", horizon=3, series="All sales", actual=100.0
    )
    told = told.assign(**dict.fromkeys((*forecast.INTERVALS, *forecast.OF_SUMS), np.nan))
    return pd.concat([
        told.assign(
            method=method, is_chosen=is_chosen, is_learnt=False, forecast=100 + told["place"].map(dict(enumerate(off)))
        )
        for method, is_chosen, off in (("a method", True, offs), ("same month last year", False, baseline_offs))
    ], ignore_index=True)  # fmt: skip


def pooled_error(told: pd.DataFrame) -> Any:
    rows = evaluation.evaluated(EMPTY, EMPTY, told, NOT_JUDGED)
    is_asked = (rows["model"] == evaluation.CHOSEN) & (rows["fold"] == evaluation.POOLED) & (rows["metric"] == "wape")
    return rows[is_asked].iloc[0]


def test_origins_that_overlap_are_no_independent_witnesses() -> None:
    """One bad stretch of a year touches three origins in a row: drawn apart they would seem to be three."""
    offs, baseline_offs = [10.0] * 10, [11.5] * 7 + [8.5] * 3
    apart, overlapping = (pooled_error(past_months(months, offs, baseline_offs)) for months in (1, 3))
    assert apart["difference"] == pytest.approx(overlapping["difference"])
    assert overlapping["n"] == 30
    assert (
        apart["difference_high"] - apart["difference_low"]
        < overlapping["difference_high"] - overlapping["difference_low"]
    )


def test_a_sum_is_judged_once_by_its_own_interval() -> None:
    """Of four origins two had an interval, and one of these held what the three months came to: 300."""
    told = past_months(3, [0.0] * 4, [0.0] * 4)
    lows, highs = {2: 290.0, 3: 301.0}, {2: 310.0, 3: 320.0}
    told = told.assign(sum_low_80=told["place"].map(lows), sum_high_80=told["place"].map(highs))
    rows = evaluation.evaluated(EMPTY, EMPTY, told, NOT_JUDGED)
    (row,) = rows[(rows["metric"] == "coverage_80_sum") & (rows["model"] == evaluation.CHOSEN)].itertuples()
    assert (row.value, row.n) == (0.5, 2)


@pytest.mark.parametrize(("origins", "is_drawn"), [(8, False), (9, True)])
def test_blocks_are_drawn_where_three_fit_side_by_side(origins: int, is_drawn: bool) -> None:
    """Of fewer, an interval would be of one stretch of months."""
    told = pooled_error(past_months(3, [10.0, 20.0] * origins, [15.0] * 2 * origins).query(f"place < {origins}"))
    assert pd.notna(told["ci_low"]) == is_drawn == pd.notna(told["difference_low"])


def test_a_difference_is_of_forecasts_whose_baseline_is_known(judged: Warehouse) -> None:
    """Of four origins of the log one was kept without it: it is not compared with the baseline of the others."""
    frame = read_frame(judged, "judged_predictions")
    is_asked = (frame["task"] == "forecasts") & (frame["subject"] == "total: All sales")
    month = frame[is_asked & (frame["figure"] == "amount by month, 3 ahead")].assign(point=100.0, actual=100.0)
    told = []
    for place, (point, baseline) in enumerate([(190.0, np.nan), (104.0, 110.0), (102.0, 112.0), (100.0, 108.0)]):
        by = pd.DateOffset(months=place)
        told.append(month.assign(
            as_of=month["as_of"] + by, window_from=month["window_from"] + by, window_until=month["window_until"] + by,
            point=point, baseline=baseline,
        ))  # fmt: skip
    rows = evaluation.evaluated(EMPTY, EMPTY, EMPTY, pd.concat(told))
    is_asked = (rows["source"] == "live") & (rows["fold"] == evaluation.POOLED) & (rows["model"] == evaluation.CHOSEN)
    found: Any = rows[is_asked].set_index("metric")
    assert found.loc["wape", ["n", "value", "baseline_value"]].tolist() == pytest.approx([3, 0.02, 0.1])
    assert found.loc["wape", "difference"] == pytest.approx(-0.08)
    assert found.loc["wape", "difference_low"] <= -0.06 and found.loc["wape", "difference_high"] >= -0.1
    assert found.loc["bias", "n"] == 4


def test_live_rows_are_of_what_predicts_now(judged: Warehouse) -> None:
    """So that every list of what is used has them; which that is, past days alone decide."""
    live = evaluation.evaluated(EMPTY, EMPTY, EMPTY, read_frame(judged, "judged_predictions"))
    live = live[live["source"] == "live"]
    assert set(live.loc[live["is_used"], "model"]) <= set(live["baseline"])
    happened = [True] * 50 + [False] * 50
    better = risks([0.9] * 50 + [0.1] * 50, [0.5] * 100, happened)
    rows = evaluation.evaluated(EMPTY, better, EMPTY, read_frame(judged, "judged_predictions"))
    used = rows[(rows["source"] == "live") & rows["is_used"] & (rows["task"] == "churn_risk, Loyal Customers")]
    assert set(used["model"]) == {churn.MODEL} and set(used["metric"]) >= {"auc", "calibration_error"}
    assert evaluation.calibration(rows) == pytest.approx(0.1)


def refused(warehouse: Warehouse, table: str, row: str) -> bool:
    """Whether the contract of a table refuses a row."""
    with warehouse.engine.connect() as connection:
        connection.exec_driver_sql(f"drop table if exists {table}")
        connection.exec_driver_sql(contract(table).replace("%", "%%"))
        try:
            connection.exec_driver_sql(f"insert into {table} values ({row})")
        except sa.exc.IntegrityError:
            return True
    return False


VALUED = "1, 90, '2011-09-01', 'baseline', null, null, {}, null, null, {}, null, 20, 20 + {}, 1, 1"
FORECAST = "'total', 'All sales', 'month', 3, '2011-09-01', 1, '2011-09-01', 'a method', {}, {}, 9, {}, 9, -5, {}"
TRIED = "'total', 'All sales', 'month', 3, '2011-09-01', '2011-09-01', 'a method', true, false, {}, -3"
JUDGED_ROW = "'a task', 'it', 'all', '{}', 'live', {}, null, null, 9, null, null, null, null, null, null, true, null"


@pytest.mark.parametrize(
    ("table", "row", "sound", "faults"),
    [
        ("customer_value", VALUED, (0, 0, 0), [(-0.1, 0, 0), (0, -0.01, -0.01)]),
        ("forecasts", FORECAST, (4, 2, 1, 0), [(-1, "null", "null", 0), (4, -1, -1, 0), (4, 2, -1, 0), (4, 2, 1, -1)]),
        ("forecast_backtests", TRIED, (0,), [(-0.1,)]),
        *(
            ("model_evaluations", JUDGED_ROW, (metric, 1), [(metric, 1.01), (metric, -0.01)])
            for metric in ("auc", "coverage_80", "coverage_95", "coverage_80_sales", "coverage_80_purchases")
        ),
        ("model_evaluations", JUDGED_ROW, ("wape", 1.5), [("wape", -0.01)]),
        ("model_evaluations", JUDGED_ROW, ("bias", -1.5), []),
    ],
)  # fmt: skip
def test_a_figure_that_cannot_be_is_refused(
    warehouse: Warehouse, table: str, row: str, sound: tuple[Any, ...], faults: list[tuple[Any, ...]]
) -> None:
    """Nothing sells less than nothing, and no share is beyond 0 and 1; a bias, and what came, may be negative."""
    assert not refused(warehouse, table, row.format(*sound))
    assert all(refused(warehouse, table, row.format(*fault)) for fault in faults)


def test_a_leak_into_the_value_of_customers_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows tell the last purchase that the model knew of: one of later days is after the day that was asked."""
    days = pd.DataFrame({
        "as_of": AS_OF, "customer_id": range(60), "observed_until": AS_OF, "last_day": pd.Timestamp("2011-01-01"),
        "purchase_days": 1 + np.arange(60) % 5, "tenure_days": 100 + np.arange(60), "recency_days": 14,
        "sales": 10.0 + np.arange(60),
    })  # fmt: skip
    again = {f"{what}_{horizon}": 1 for what in ("purchase_days", "sales") for horizon in value.HORIZONS}
    features: Any = days.assign(**again)
    outcomes = days[["as_of", "customer_id"]].assign(**again)
    sound = value.backtests(features, outcomes, pd.Timestamp("2009-12-01"))
    assert set(sound["horizon_days"]) == set(value.HORIZONS)
    assert (sound["labels_until"] <= sound["as_of"]).all()
    features.loc[3, "last_day"] = AS_OF + pd.Timedelta(days=5)
    features.loc[3, "recency_days"] = -5
    leaked = value.backtests(features, outcomes, pd.Timestamp("2009-12-01"))
    assert (leaked["labels_until"] > leaked["as_of"]).all()


def test_a_horizon_is_judged_once_as_much_is_known_before_it() -> None:
    """The status quo of a year is no year's before a year was observed."""
    features = pd.DataFrame({"as_of": [AS_OF], "customer_id": [1]})
    outcomes = features.assign(purchase_days_90=1, purchase_days_182=1, purchase_days_365=1)
    assert value.backtests(features, outcomes, AS_OF - pd.Timedelta(days=89)).empty
