"""Small tables to draw from, made without a database."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from lgs_assets.charts.report import families, figure_of
from lgs_assets.charts.style import style
from lgs_assets_tests.charts.happened import what_happened

PLAYBOOK = [
    ("Champions", 5, 5, 4, 5),
    ("Loyal Customers", 3, 4, 4, 5),
    ("Potential Loyalists", 4, 5, 2, 3),
    ("New Customers", 5, 5, 1, 1),
    ("Promising", 4, 4, 1, 1),
    ("Need Attention", 3, 3, 3, 3),
    ("About to Sleep", 3, 3, 1, 2),
    ("At Risk", 1, 2, 3, 4),
    ("Can't Lose", 1, 2, 5, 5),
    ("Hibernating", 1, 2, 1, 2),
]
SIZES = (852, 1147, 713, 56, 110, 269, 388, 750, 71, 1522)

Frames = dict[str, Any]  # DataFrames by table; their cells have no types
MakeFrames = Callable[..., Frames]
# A Figure, typed loosely: what its artists are, a test knows better than Matplotlib's stubs.
Draw = Callable[[str, Frames], Any]
Texts = Callable[[Figure], list[str]]


@pytest.fixture(scope="session")
def frames() -> MakeFrames:
    """Makes the tables of a small retailer; what a test is about is given."""

    def make(
        *,
        amounts: Sequence[float] | None = None,
        months: int = 14,
        partial: bool = True,
        sizes: Sequence[int] = SIZES,
        customers: int = 400,
    ) -> Frames:
        random = np.random.default_rng(7)
        if amounts is None:
            lots = np.round(random.lognormal(5.5, 1.2, 3000), 2)
            amounts = [*lots, *-lots[:300], *np.zeros(200), *[15.0] * 90]
        return {
            "invoice_amounts": pd.DataFrame({"amount": np.asarray(amounts, dtype=float)}),
            "invoice_amount_statistics": statistics_of(np.asarray(amounts, dtype=float)),
            "monthly_metrics": months_of(random, months, partial),
            "user_activity": users_of(random, months),
            "rfm_scores": pd.DataFrame(
                {
                    "snapshot_date": pd.Timestamp("2012-01-01"),
                    "recency_days": random.integers(0, 700, customers),
                    "frequency": random.geometric(0.25, customers),
                    "monetary": np.round(random.lognormal(6.5, 1.3, customers), 2),
                }
            ).assign(f_score=lambda scores: quintiles(scores["frequency"])),
            "segment_playbook": pd.DataFrame(
                [(position, *rule) for position, rule in enumerate(PLAYBOOK, start=1)],
                columns=["position", "segment", "r_min", "r_max", "f_min", "f_max"],
            ),
            "segment_summary": summary_of(sizes),
            **what_happened([rule[0] for rule in PLAYBOOK], months, is_partial=partial),
            **foresight_of(random, months),
        }

    return make


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draws the named chart from tables, without rendering it."""

    def figure(name: str, given: Frames) -> Figure:
        (chart,) = (chart for family in families() for chart in family.charts if chart.name == name)
        with style():
            return figure_of(chart, given)

    return figure


@pytest.fixture(scope="session")
def texts() -> Texts:
    """Every text on a figure, its line breaks as blanks."""

    def read(figure: Figure) -> list[str]:
        return [" ".join(text.get_text().split()) for text in figure.findobj(Text) if text.get_text().strip()]

    return read


def quintiles(values: pd.Series) -> pd.Series:
    """The scores of values, where equal values share a score."""
    places = (values.rank(method="min") - 1) / max(len(values) - 1, 1)
    return (5 * places).map(np.ceil).clip(lower=1).astype(int)


def statistics_of(amounts: np.ndarray) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for population, whole in (("all", amounts), ("positive", amounts[amounts > 0])):
        for is_cut in (False, True):
            part = whole[whole <= np.quantile(whole, 0.85)] if is_cut and whole.size else whole
            if part.size:
                rows.append(
                    {
                        "population": population,
                        "is_cut": is_cut,
                        "invoices": len(part),
                        "minimum": part.min(),
                        "maximum": part.max(),
                        "mean": part.mean(),
                        "median": np.median(part),
                        "mode": pd.Series(part.round(2)).mode().min(),
                        "cutoff_quantile": 0.85,
                        "cutoff_amount": np.quantile(part, 0.85),
                    }
                )
    return pd.DataFrame(rows)


def months_of(random: np.random.Generator, number: int, partial: bool) -> pd.DataFrame:
    months = pd.date_range("2010-11-01", periods=number, freq="MS")
    sales = np.round(random.uniform(4e5, 1.5e6, number), 2)
    growth = np.concatenate([[np.nan], 100 * (sales[1:] / sales[:-1] - 1)])
    ends = months + pd.offsets.MonthEnd(1) + pd.Timedelta(hours=17)
    if partial:
        ends = pd.DatetimeIndex([*ends[:-1], months[-1] + pd.Timedelta(days=8, hours=12)])
    canceled = random.integers(100, 500, number)
    placed = random.integers(900, 2600, number)
    return pd.DataFrame(
        {
            "invoice_month": months,
            "total_orders": placed + 2 * canceled,
            "canceled_orders": canceled,
            "placed_orders": placed,
            "doubled_orders": 0,
            "sales": sales,
            "sales_once": sales,
            "sales_growth_pct": growth,
            "last_invoice_at": ends,
            "is_partial": [partial and month == months[-1] for month in months],
        }
    )


def users_of(random: np.random.Generator, number: int) -> pd.DataFrame:
    existing = random.integers(0, 1500, number)
    new = random.integers(20, 400, number)
    return pd.DataFrame(
        {
            "invoice_month": pd.date_range("2010-11-01", periods=number, freq="MS"),
            "active_users": existing + new,
            "new_users": new,
            "existing_users": existing,
        }
    )


def foresight_of(random: np.random.Generator, number: int) -> Frames:
    """What is predicted after so many months, and how wrong it has been."""
    ahead = pd.date_range(pd.Timestamp("2010-11-01") + pd.DateOffset(months=number - 1), periods=3, freq="MS")
    weeks = pd.date_range(ahead[0], periods=13, freq="W-MON")
    forecasts = pd.concat(
        pd.DataFrame({"grain": grain, "period_start": starts, "forecast": random.uniform(1e5, 1e6, len(starts))})
        for grain, starts in (("month", ahead), ("week", weeks))
    )
    ends = {"low_95": 0.5, "low_80": 0.8, "high_80": 1.2, "high_95": 1.5, "year_before": 1.1}
    for name, share in ends.items():
        forecasts[name] = forecasts["forecast"] * share
    past = forecasts[forecasts["grain"] == "week"].assign(origin=weeks[0], is_chosen=True)
    asked = pd.DataFrame({"as_of": np.repeat(ahead[:2], 200), "customer_id": list(range(200)) * 2})
    probability = random.uniform(0, 1, 400)
    rows = [
        ("slipping, Loyal Customers and Champions", "auc", 0.9, 0.7),
        ("churn_risk, active in the last 365 days", "auc", 0.8, 0.7),
        ("churn_risk, expected next purchase", "within_14_days", 0.4, 0.3),
        ("customer_value, 182 days", "mae_purchases", 1.2, 1.3),
        ("forecasts, total by month, 3 ahead", "wape", 0.2, 0.3),
    ]
    evaluations = [
        (task, model, "pooled", metric, "back-test", value, value - 0.01, value + 0.01, "status quo", model == "model")
        for task, metric, *values in rows
        for model, value in zip(("model", "status quo"), values, strict=True)
    ]
    columns = ["task", "model", "fold", "metric", "source", "value", "ci_low", "ci_high", "baseline", "is_used"]
    return {
        "forecasts": forecasts.assign(kind="total", method="same month last year"),
        "forecast_backtests": past.assign(kind="total", actual=past["forecast"] * random.uniform(0.7, 1.3, len(past))),
        "value_backtests": asked.assign(
            horizon_days=182, sales=random.gamma(1, 500, 400), baseline_sales=random.gamma(1, 500, 400),
            actual_sales=random.gamma(1, 500, 400),
        ),
        "risk_backtests": asked.assign(
            task="churn_risk", probability=probability, baseline_probability=1 - probability,
            happened=random.uniform(0, 1, 400) < probability,
        ),
        "churn_risk": pd.DataFrame({
            "days_late": pd.array([None, *random.integers(-500, 500, 199)], "Int64"),
            "band": random.choice(["low", "medium", "high"], 200),
        }),
        "model_evaluations": pd.DataFrame(evaluations, columns=columns),
        "prediction_terms": pd.DataFrame({"unavailable_because": [None]}),
    }  # fmt: skip


def summary_of(sizes: Sequence[int]) -> pd.DataFrame:
    summary = pd.DataFrame(
        {
            "position": range(1, len(PLAYBOOK) + 1),
            "segment": [rule[0] for rule in PLAYBOOK],
            "customers": list(sizes),
            "recency_mean": [20.5 if size else np.nan for size in sizes],
        }
    )
    summary["revenue"] = summary["customers"] * 512.5
    summary["net_revenue"] = summary["revenue"] * 0.9
    summary["kept_pct"] = [90.0 if size else np.nan for size in sizes]
    for column in ("customers", "revenue"):
        summary[f"{column}_pct"] = 100 * summary[column] / max(summary[column].sum(), 1)
    return summary
