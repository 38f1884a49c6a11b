"""Model cards: what each model is for, what it is made from, how wrong it has been, and where it must not be used.

The words are written here, the figures are those of the evaluations (Mitchell et al. 2019, "Model Cards for Model
Reporting").
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lgs_assets.models import churn, forecast, slipping, value
from lgs_assets.models.evaluation import (
    CALIBRATED_WITHIN,
    CHURN_POPULATIONS,
    DUE_TASK,
    LEARNT,
    POOLED,
    SLIPPING_TASK,
    is_difference_shown,
    table_of,
    value_task,
)
from lgs_assets.wording import counted

CARDS = [
    *("task", "position", "title", "model", "purpose", "data", "rule", "measured_error", "limits"),
    "unavailable_because",
]

_PERCENT = {
    *("top_decile_share", "total_error_purchases", "total_error_sales", "coverage_80", "coverage_95", "wape", "bias"),
    *("coverage_80_purchases", "coverage_80_sales", "coverage_80_sum", "expected_coverage", "within_14_days"),
}
_SAID = {
    "mae_purchases": "mean absolute error, purchase days a customer",
    "mae_sales": "mean absolute error, £ a customer",
    "total_error_purchases": "error of the total of purchase days",
    "total_error_sales": "error of the total of sales",
    "top_decile_share": "share of sales with the tenth rated highest",
    "coverage_80_purchases": "share of customers within the 80 % interval of purchase days",
    "expected_coverage": "share that the model itself expects there, for days are whole",
    "coverage_80_sales": "share within that of sales",
    "within_14_days": "of all who were due in the next 76 days, share that bought within 14 days of the day expected",
    "mae_next_day": "of those who bought, mean absolute error of that day, days",
    "auc": "how often a customer who stayed away, or slipped, ranks above one who did not",
    "calibration_error": "mean gap between predicted and observed share, by tenth of customers",
    "brier": "mean squared error of the probability",
    "wape": "absolute errors as a share of the actual total",
    "bias": "net error as a share of the actual total, negative where forecasts were too low",
    "coverage_80": "share within the 80 % interval",
    "coverage_95": "share within the 95 % interval",
    "coverage_80_sum": "share of sums of all that was forecast at once within their 80 % interval",
}
"""What each metric is called, in the order of the cards."""

_BESIDE = (LEARNT, churn.FORTNIGHT)
"""What is told of past days beside the model and its baseline: what may make its lead a smaller one."""

_SOURCES = {"back-test": "", "live": ", live"}
"""What is said of where figures come from."""

_IN_VIEW = (
    "Its form was chosen on the UCI data of 2009 to 2011, with the reported past days in view: there it flatters its "
    "figures a little. Those of other data, and live ones, are free of that."
)


@dataclass(frozen=True)
class _Words:
    """What a card says whatever the figures are."""

    table: str
    title: str
    tasks: Sequence[str]
    purpose: str
    data: str
    rule: str
    limits: str


_WORDS = (
    _Words(
        "customer_value",
        "What customers will buy",
        tuple(map(value_task, value.HORIZONS)),
        "Ranks customers by what they will spend: whom to call, whom a gift is worth. Before you budget with it, look "
        "at the error of the total, on single days above all.",
        "Purchase days and sales of every customer before the moment, cancellations and guests left out.",
        f"{value.MODEL} by maximum likelihood, in weeks and pounds of a purchase day, the first one included (Fader, "
        "Hardie & Lee 2005; Fader & Hardie 2013). Intervals of single customers by simulation. A horizon at which it "
        f"is no better than the {value.BASELINE} is predicted by that, without an interval.",
        "It knows no season: after a good season it expects more of the same. A customer of the first "
        "month may be an old one. Spending is taken not to depend on how often one buys. "
        "Orders count as they were placed: a customer who gave everything back may rank high. "
        f"{_IN_VIEW}",
    ),
    _Words(
        "churn_risk",
        "Who will not buy in the next 90 days",
        (*CHURN_POPULATIONS, DUE_TASK),
        "Orders the customers who bought in the last 365 days by how likely the next 90 days are to be quiet, with "
        "reasons. P(alive) is no substitute: it says who may come back, not who will be quiet.",
        "Recency, purchase days, spending, gaps and cancellations before the first of each month of the last three "
        "years, from 90 days after the first line on, and whether 90 quiet days followed that were over by the moment.",
        f"{churn.MODEL}: the mean of both probabilities; BG/NBD's is a feature of the regression, too.",
        "The level may shift with the season. A percentage is shown only while the mean gap on past days is within "
        f"{CALIBRATED_WITHIN:.2f}; else the rank. Reasons say what moves the score, not what would win the customer. "
        "The day when a purchase is due says how far the rhythm is broken, rather than when they will buy: one day for "
        "everybody, told beside it, may be right more often. "
        f"{_IN_VIEW} On the UCI data some forty forms were tried, and its lead over BG/NBD alone (.789 against .784) "
        "is no larger than that much trying could produce by chance.",
    ),
    _Words(
        "slipping",
        "Which good customers are about to slip",
        (SLIPPING_TASK,),
        "Orders Loyal Customers and Champions by how near they are to falling into At Risk, Can't Lose, Hibernating or "
        "About to Sleep within three months.",
        "The recency of every customer as of the moment.",
        f"{slipping.MODEL[0].upper()}{slipping.MODEL[1:]}: the share of customers who bought as recently or more so. "
        "Nothing is fitted.",
        "A rank only. The edge is relative to the other customers and drifts, so days_to_edge holds as of the moment. "
        "Much of what moves customers over it is the calendar, not a change of heart.",
    ),
    _Words(
        "forecasts",
        "What will be sold",
        tuple(task.name for task in forecast.TASKS),
        "Sales in total and by country for the next three months and thirteen weeks, and units of the best-selling "
        "products for the next four and thirteen weeks: for stock and staffing.",
        "Net sales and units of whole months and weeks before the moment, doubled invoices counted once.",
        "The plain method with the least error on past days of the last year; of products, on those that sold best in "
        "the year before each day. While fewer than four are over, a set one, which was picked on the UCI data with "
        "the reported days in view: what the error would have been without is told beside it. "
        "Intervals from past errors at the same horizon, in units of the series' own mean error, the usual one of all "
        "series counted in; one that has just begun is taken to be like the others.",
        "The season is taken to be that of the year before: a change of it cannot be seen. A product that starts, or "
        "ends, or has a single order of thousands is not foreseen. Countries with few customers hang on one of them. "
        "The countries that are forecast by name are those that sell most now, on past days as well, though others may "
        "have sold more then. A month without any line counts as missing, unless the same month of an earlier year has "
        "none either.",
    ),
)


def cards(evaluations: pd.DataFrame, *, unavailable_because: str | None) -> pd.DataFrame:
    """A card a table of predictions, with the columns CARDS; `evaluations` has those of model_evaluations."""
    rows = [_card(words, place, evaluations, unavailable_because) for place, words in enumerate(_WORDS, start=1)]
    return pd.DataFrame(rows, columns=CARDS)


def _card(words: _Words, place: int, evaluations: pd.DataFrame, unavailable_because: str | None) -> dict[str, object]:
    own = evaluations[evaluations["task"].isin(words.tasks)]
    used = sorted(own.loc[own["is_used"], "model"].unique())
    said = (_measured(own, task, source, is_named=len(used) > 1) for task in words.tasks for source in _SOURCES)
    return {
        "task": words.table,
        "position": place,
        "title": words.title,
        "model": None if unavailable_because else "; ".join(used) or "baseline",
        "purpose": words.purpose,
        "data": words.data,
        "rule": words.rule,
        "measured_error": " ".join(filter(None, said)),
        "limits": words.limits,
        "unavailable_because": unavailable_because,
    }


def _measured(rows: pd.DataFrame, task: str, source: str, *, is_named: bool) -> str:
    """The pooled figures of the model that is used, beside the baseline's; named if the card has several.

    Each with its least and greatest on single days: its interval is of customers, or origins, not of other seasons.
    Nothing is said of live figures while no prediction's window is over.
    """
    own = rows[(rows["task"] == task) & (rows["source"] == source) & rows["value"].notna()]
    used = own[own["is_used"]]
    is_pooled, is_day = used["fold"] == POOLED, ~used["fold"].str.startswith(POOLED)
    if not is_pooled.any():
        return f"{task}: not measured yet." if source == "back-test" else ""
    by_day = used[is_day].groupby("metric")["value"]
    found = {str(row["metric"]): row for _, row in used[is_pooled].iterrows()}
    said = [
        _figure(found[metric], metric, by_day.get_group(metric) if metric in by_day.groups else None)
        for metric in _SAID
        if metric in found
    ]
    if source == "back-test":
        beside = own[own["model"].isin(_BESIDE) & (own["fold"] == POOLED)]
        said += [f"{row['model']}: {_figure(row, str(row['metric']))}" for _, row in beside.iterrows()]
    by = f", by {used['model'].iloc[0]}" if is_named else ""
    days = counted(used.loc[is_day, "fold"].nunique(), "past day" if source == "back-test" else "day")
    pooled = "all values of" if table_of(task) == "forecasts" else "mean of"
    return f"{task}{by}{_SOURCES[source]}, {pooled} {days}: {'; '.join(said)}."


def _figure(row: pd.Series, metric: str, by_day: pd.Series | None = None) -> str:
    def shown(number: float) -> str:
        return f"{number:.1%}" if metric in _PERCENT else f"{number:,.0f}" if metric == "mae_sales" else f"{number:.3f}"

    text = f"{_SAID[metric]} {shown(row['value'])}"
    if pd.notna(row["ci_low"]):
        text += f" ({shown(row['ci_low'])} to {shown(row['ci_high'])})"
    if by_day is not None and len(by_day) > 1:
        text += f", by day {shown(by_day.min())} to {shown(by_day.max())}"
    if pd.notna(row["baseline_value"]):
        text += f", {row['baseline']} {shown(row['baseline_value'])}"
        text += "" if is_difference_shown(row["difference_low"], row["difference_high"]) else " (no difference shown)"
    return f"{text}, n {row['n']:,}"


def page(card: pd.Series) -> str:
    """The card as a page of Markdown, its measured errors as lists."""
    made_by = card["model"] if pd.isna(card["unavailable_because"]) else card["unavailable_because"]
    return (
        f"# {card['title']}\n\nThe card of `{card['task']}`, with the figures of the run that `lgs cards` found.\n\n"
        f"**Made by:** {made_by}\n\n**For:** {card['purpose']}\n\n**Made from:** {card['data']}\n\n"
        f"**Rule:** {card['rule']}\n\n**How wrong it has been**, pooled over past days, with 95 % intervals. These "
        "draw customers, or origins, anew: what another season would bring shows in the range by day, if anywhere. n "
        "is that of all days: it counts a customer once a day, a series once a period:\n\n"
        f"{_listed(card['measured_error'])}\n\n**Limits:** {card['limits']}\n"
    )


def _listed(errors: str) -> str:
    """The tasks of a card, and below each its figures."""
    lines = []
    for task in errors.removesuffix(".").split(". "):
        name, _, figures = task.partition(": ")
        lines.append(f"- {name}")
        lines += [f"  - {figure}" for figure in figures.split("; ")]
    return "\n".join(lines)
