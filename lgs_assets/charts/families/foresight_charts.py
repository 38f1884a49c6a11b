"""Charts of what will happen, and how wrong such predictions have been."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from lgs_assets.charts import style
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.scales import in_counts, in_pounds, label_ticks
from lgs_assets.models import churn, evaluation, forecast, value
from lgs_assets.wording import count, counted, day, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY: Final = Family(__name__, part=20, is_of_predictions=True)

_BANDS: Final = ("low_80", "high_80", "low_95", "high_95")
_LAST_MONTHS: Final = 12
_CHOICE: Final = ("task", "model", "baseline", "is_used")
"""What says whether a model or its baseline predicts."""
_LATE_DAYS: Final = 360
"""How early or late a purchase may be to be drawn by itself; what is beyond is in the outermost bars."""
_BAR_DAYS: Final = 30
_LATE_FROM: Final = 0.5
"""Between the days of who is due now, 0, and of who is a day late."""
_PANELS: Final = {
    "AUC, or share on time: right is better": ("auc", "within_14_days"),
    "Error, share of actual total: left is better": ("wape",),
    "Purchase days off: left is better": ("mae_purchases",),
}
"""The metrics that decide, by what their axis says."""
_LETTERS: Final = 34
"""Letters of a task's name that fit into a line beside its figures."""


@FAMILY.chart(
    "Net sales to come",
    forecasts=("kind", "grain", "period_start", "forecast", *_BANDS, "year_before", "method"),
    monthly_metrics=("invoice_month", "sales_once", "is_partial"),
    model_evaluations=("task", "model", "fold", "metric", "source", "value", "baseline", "is_used"),
)
def sales_to_come(forecasts: pd.DataFrame, monthly_metrics: pd.DataFrame, model_evaluations: pd.DataFrame) -> Figure:
    """The next months after the last whole ones, and the next weeks, with both intervals and the year before."""
    total = forecasts[forecasts["kind"] == "total"]
    months, weeks = (total[total["grain"] == grain] for grain in ("month", "week"))
    unsaid = "; there are none where these are too few to say" if total["low_95"].isna().any() else ""
    figure = style.sheet(
        f"Doubled invoices counted once. Bands hold 80 % and 95 % of past errors at the same horizon{unsaid}"
    )
    panels = style.grid(figure, 1, 2, wspace=0.2, top=0.77, bottom=0.175)
    left, right = (figure.add_subplot(panels[place]) for place in range(2))
    known = monthly_metrics[monthly_metrics["invoice_month"] < months["period_start"].min()].tail(_LAST_MONTHS)
    left.plot(known["invoice_month"], known["sales_once"], color=style.INK, marker="o", markersize=3)
    _bands(left, months)
    _bands(right, weeks)
    left.set_ylabel("Net sales a month")
    left.set_xlabel("Month")
    right.set_ylabel("Net sales a week")
    right.set_xlabel("First day of the week")
    style.legend(
        left,
        [
            style.stroke(color=style.INK, label="Sold"),
            style.stroke(color=style.BLUE, marker="o", markersize=3, label="Expected"),
            style.stroke(color=style.ORANGE, linestyle="--", label="A year before"),
        ],
    )
    said = [
        f"{grain}s: {part['method'].iloc[0]}{_past_error(model_evaluations, grain.lower())}"
        for grain, part in (("Month", months), ("Week", weeks))
    ]
    style.note(figure, ". ".join(said))
    return figure


@FAMILY.chart(
    "Forecasts of weekly sales against actual sales",
    forecast_backtests=("kind", "grain", "origin", "period_start", "is_chosen", "forecast", "actual", *_BANDS),
)
def forecasts_against_actual(forecast_backtests: pd.DataFrame) -> Figure:
    """The weeks of all past origins: what would have been forecast, and what came."""
    rows = forecast_backtests
    total = rows[(rows["kind"] == "total") & (rows["grain"] == "week") & rows["is_chosen"]].sort_values("period_start")
    if total.empty:
        return style.message("No 13 weeks after a past day are over.")
    error = (total["forecast"] - total["actual"]).abs().sum() / max(total["actual"].sum(), 1)
    figure = style.sheet(
        f"Absolute errors are {percent(100 * error)} of actual sales. Lines mark the days that forecasts were made from"
    )
    axes = figure.add_subplot(style.grid(figure)[0])
    known = total[total["low_80"].notna()]
    axes.fill_between(known["period_start"], known["low_80"], known["high_80"], color=style.lighter(style.BLUE), lw=0)
    axes.plot(total["period_start"], total["forecast"], color=style.BLUE, marker="o", markersize=3)
    axes.plot(total["period_start"], total["actual"], color=style.INK)
    for origin in total["origin"].unique():
        axes.axvline(origin, color=style.MUTED, linestyle=":", linewidth=0.8)
    _dates(axes)
    axes.set_xlabel("First day of the week")
    axes.set_ylabel("Net sales a week")
    style.legend(
        axes,
        [
            style.stroke(color=style.INK, label="Actual"),
            style.stroke(color=style.BLUE, marker="o", markersize=3, label="Forecast"),
            style.swatch(style.BLUE, "80 % interval"),
        ],
    )
    return figure


@FAMILY.chart(
    "Sales of customers by tenth of their expected sales",
    value_backtests=("horizon_days", "as_of", "customer_id", "sales", "baseline_sales", "actual_sales"),
    model_evaluations=_CHOICE,
)
def value_by_decile(value_backtests: pd.DataFrame, model_evaluations: pd.DataFrame) -> Figure:
    """Expected and actual sales in 182 days of each tenth, over all past days, by what predicts them now."""
    judged = value_backtests[value_backtests["horizon_days"] == value.JUDGED]
    if judged.empty:
        return style.message(f"No {value.JUDGED} days after a past day are over.")
    model = value.MODEL
    if not evaluation.is_used(model_evaluations, evaluation.value_task(value.JUDGED)):
        model, judged = value.BASELINE, judged.assign(sales=judged["baseline_sales"].astype(float))
    ranked = judged.sort_values(["as_of", "sales", "customer_id"], ascending=[True, False, True])
    place, size = ranked.groupby("as_of").cumcount(), ranked.groupby("as_of")["sales"].transform("size")
    sums = ranked.groupby(10 * place // size + 1)[["sales", "actual_sales"]].sum() / ranked["as_of"].nunique()
    share = sums["actual_sales"].iloc[0] / max(sums["actual_sales"].sum(), 1)
    days = counted(ranked["as_of"].nunique(), "past day")
    figure = style.sheet(
        f"By {model}. Mean of {days}, the {value.JUDGED} days after each. "
        f"The first tenth holds {percent(100 * share)} of actual sales"
    )
    axes = figure.add_subplot(style.grid(figure)[0])
    tenths = sums.index.to_numpy(float)
    axes.bar(tenths - 0.2, sums["sales"], 0.4, color=style.SKY)
    axes.bar(tenths + 0.2, sums["actual_sales"], 0.4, color=style.BLUE)
    in_pounds(axes.yaxis)
    axes.set_xticks(tenths)
    axes.set_xlabel("Tenth of the customers, the highest expected sales first")
    axes.set_ylabel("Sales")
    style.legend(axes, [style.swatch(style.SKY, "Expected"), style.swatch(style.BLUE, "Actual")])
    return figure


@FAMILY.chart(
    "Predicted and observed risk of a quiet quarter",
    risk_backtests=("task", "as_of", "customer_id", "probability", "baseline_probability", "happened"),
    model_evaluations=(*_CHOICE, "metric", "fold", "source", "value"),
)
def risk_calibration(risk_backtests: pd.DataFrame, model_evaluations: pd.DataFrame) -> Figure:
    """On each past day, the share that did not buy in 90 days of each tenth of the customers by risk as told now."""
    rows = risk_backtests[risk_backtests["task"] == "churn_risk"].sort_values(["as_of", "customer_id"])
    (active, *_) = evaluation.CHURN_POPULATIONS
    model = churn.MODEL
    if not evaluation.is_used(model_evaluations, active):
        model, rows = churn.BASELINE, rows.assign(probability=rows["baseline_probability"])
    figure = style.sheet(
        f"Customers who bought in the last 365 days, by {model}. On the diagonal, as many were quiet as predicted"
    )
    axes = figure.add_subplot(style.grid(figure, bottom=0.175)[0])
    axes.plot([0, 1], [0, 1], color=style.MUTED, linestyle=":")
    handles = []
    looks = zip((style.BLUE, style.SKY, style.ORANGE, style.VERMILION), "osD^", strict=True)
    for (moment, asked), (colour, marker) in zip(rows.groupby("as_of"), looks, strict=False):
        tenths = evaluation.tenths(asked["probability"].to_numpy(float))
        means = asked.groupby(tenths)[["probability", "happened"]].mean()
        axes.plot(means["probability"], means["happened"], color=colour, marker=marker, markersize=5)
        label = f"{day(pd.Timestamp(str(moment)))}: {percent(100 * asked['happened'].mean())} quiet"
        handles.append(style.stroke(color=colour, marker=marker, markersize=5, label=label))
    for axis in (axes.xaxis, axes.yaxis):
        label_ticks(axis, lambda share: percent(100 * share, 0))
    axes.set_xlabel("Predicted probability of no purchase in 90 days")
    axes.set_ylabel("Share that did not buy")
    style.legend(axes, handles)
    gap = evaluation.calibration(model_evaluations)
    if gap > evaluation.CALIBRATED_WITHIN:
        shown = "too far off to be shown as a percentage; the order may hold all the same"
    else:
        shown = "near enough to be shown as a percentage"
    style.note(figure, f"On average {100 * gap:.0f} points off: {shown}" if np.isfinite(gap) else "Not judged yet")
    return figure


@FAMILY.chart("Customers due and overdue", churn_risk=("days_late", "band"))
def due_and_overdue(churn_risk: pd.DataFrame) -> Figure:
    """How late the next purchase of each active customer is by the typical gap, by band of risk."""
    known = churn_risk[churn_risk["days_late"].notna()]
    late = known["days_late"].astype(float).clip(1 - _LATE_DAYS, _LATE_DAYS)
    single = len(churn_risk) - len(known)
    figure = style.sheet(
        f"{counted(int((late > 0).sum()), 'customer')} overdue, {count(int((late <= 0).sum()))} due now or later. "
        f"{counted(single, 'customer')} with one purchase day left out"
    )
    axes = figure.add_subplot(style.grid(figure, bottom=0.175)[0])
    edges = np.arange(-_LATE_DAYS, _LATE_DAYS + 1, _BAR_DAYS) + _LATE_FROM
    colours = {"low": style.SKY, "medium": style.ORANGE, "high": style.VERMILION}
    below = np.zeros(len(edges) - 1)
    for band, colour in colours.items():
        heights, _ = np.histogram(late[known["band"] == band], edges)
        axes.bar(edges[:-1], heights, _BAR_DAYS * 0.92, bottom=below, align="edge", color=colour)
        below += heights
    axes.axvline(_LATE_FROM, color=style.INK, linewidth=1)
    in_counts(axes.yaxis)
    axes.set_xlabel("Days after the expected next purchase; before it, negative")
    axes.set_ylabel("Customers")
    style.note(figure, f"The outermost bars hold what is more than {_LATE_DAYS} days early or late, too")
    style.legend(axes, [style.swatch(colour, f"{band} risk") for band, colour in colours.items()])
    return figure


@FAMILY.chart(
    "Models against their baselines",
    model_evaluations=(
        *("task", "model", "fold", "metric", "source", "value", "ci_low", "ci_high", "baseline", "is_used"),
    ),
)
def models_against_baselines(model_evaluations: pd.DataFrame) -> Figure:
    """The figure that decides of each task, with its interval, beside the baseline's; below it the live one, if any."""
    rows = model_evaluations[model_evaluations["fold"] == "pooled"]
    figure = style.sheet("Over all past days, with 95 % intervals by bootstrap. A model that is no better is not used")
    panels = style.grid(figure, 2, 2, wspace=0.95, hspace=0.5, left=0.225, top=0.78, bottom=0.175, height_ratios=(2, 1))
    places = (panels[:, 0], panels[0, 1], panels[1, 1])
    rows = rows[(rows["metric"] == rows["task"].map(evaluation.deciding)) & rows["value"].notna()]
    for place, (title, metrics) in zip(places, _PANELS.items(), strict=True):
        axes = figure.add_subplot(place)
        own = rows[rows["metric"].isin(metrics)]
        tasks = [task for task in reversed(evaluation.all_tasks()) if (own["task"] == task).any()]
        for height, task in enumerate(tasks):
            for source, lower, fill_style in (("back-test", 0, "full"), ("live", 0.25, "none")):
                asked = own[(own["task"] == task) & (own["source"] == source)]
                used, rival = asked[asked["is_used"]], asked[asked["model"] == asked["baseline"]]
                at = height - lower
                axes.plot(used["ci_low"].tolist() + used["ci_high"].tolist(), [at] * 2 * len(used), color=style.BLUE)
                axes.plot(used["value"], [at] * len(used), "o", color=style.BLUE, fillstyle=fill_style)
                axes.plot(
                    rival["value"], [at] * len(rival), "D", color=style.ORANGE, markersize=5, fillstyle=fill_style
                )
        axes.set_yticks(range(len(tasks)), [fill(task.removeprefix("forecasts, "), _LETTERS) for task in tasks])
        axes.set_ylim(-0.6, len(tasks) - 0.4)
        axes.set_xlabel(title)
        if place is places[0]:
            style.legend(
                axes,
                [
                    style.stroke(color=style.BLUE, marker="o", label="Model used"),
                    style.stroke(color=style.ORANGE, marker="D", linestyle="none", label="Baseline"),
                ],
            )
    explained = "AUC: how often a customer who stayed away, or slipped, ranks above one who did not"
    if (rows["source"] == "live").any():
        explained = f"Hollow, below: live, as predicted before it came. {explained}"
    style.note(figure, f"{explained}. On time: within {churn.NEAR_DAYS} days of the day expected")
    return figure


def _past_error(evaluations: pd.DataFrame, grain: str) -> str:
    """By how much forecasts of all sales have been off, in words; empty if that is not known."""
    (task,) = (task.name for task in forecast.TASKS if task.kind == "total" and task.grain == grain)
    asked = {"task": task, "fold": evaluation.POOLED, "metric": "wape", "source": "back-test"}
    rows = evaluations[(evaluations[list(asked)] == list(asked.values())).all(axis=1)].dropna(subset="value")
    used = rows[rows["is_used"]] if rows["is_used"].any() else rows[rows["model"] == rows["baseline"]]
    return f", off by {percent(100 * used['value'].iloc[0])} on past days" if len(used) else ""


def _bands(axes: Axes, rows: pd.DataFrame) -> None:
    at = rows["period_start"]
    axes.fill_between(at, rows["low_95"], rows["high_95"], color=style.lighter(style.SKY), linewidth=0)
    axes.fill_between(at, rows["low_80"], rows["high_80"], color=style.SKY, linewidth=0)
    axes.plot(at, rows["forecast"], color=style.BLUE, marker="o", markersize=3)
    axes.plot(at, rows["year_before"], color=style.ORANGE, linestyle="--")
    axes.set_ylim(bottom=0)
    _dates(axes)


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib types neither of the two.
    locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    in_pounds(axes.yaxis)
