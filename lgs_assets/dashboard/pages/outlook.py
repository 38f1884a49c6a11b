"""Who will buy again, what is a customer worth, what will sales be? Beside each prediction, its past error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lgs_assets.charts import style, wording
from lgs_assets.dashboard.content import Bar, Column, Figure, Link, Table, written
from lgs_assets.dashboard.figures.lines import Point, Series, lines
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.parts import CARDS, ORDER_ERROR, VALUE_ERROR, past_error, tick
from lgs_assets.dashboard.queries import Row
from lgs_assets.wording import HOW_TO_GIVE_COSTS

TABLES: Final = (
    *("customer_value", "churn_risk", "slipping", "forecasts", "model_cards", "model_evaluations", "margins"),
    "expected_margins",
)
_MONTHS: Final = 18
"""Months of the past beside a forecast."""
_MONTHS_EARNED: Final = 6
"""The same where they are a table."""
_OFF: Final = "the months were off by {}"


def show(view: View) -> Shown:
    """The forecast of sales, what customers are worth, who may stay away; with the error that each has shown."""
    title = "Who will buy again, and what will sales be?"
    if missing := [table for table in TABLES if table not in view.reading.tables]:
        return Shown(title, {"missing": missing})
    now = replace(view.filters, as_of=max(view.choices.snapshots))
    cards = {row["task"]: row for row in view.reading.once("model_cards", CARDS)}
    country = view.filters.countries[0] if len(view.filters.countries) == 1 else None
    forecast = view.rows("forecast", country=country)
    groups = view.matched("outlook_groups", filters=now)
    lists = view.matched("outlook_lists", filters=now)
    files: Files = {
        "forecast": _forecast(view, forecast, country, cards.get("forecasts")),
        "earnings": _earnings(forecast, country),
        "value": _value(groups, cards.get("customer_value")),
        "risk": _risk(groups, cards.get("churn_risk")),
        "churn": _churn(view, [row for row in lists if row["kind"] == "churn"]),
        "slipping": _slipping(view, [row for row in lists if row["kind"] == "slipping"], cards.get("slipping")),
    }
    return Shown(title, {"missing": [], "cards": cards.values(), **files}, files)


def _error(card: Row | None, task: str, sentence: str) -> str:
    """How wrong they were on past days, as a sentence of its own; or why there are none."""
    said = past_error(card, task, sentence)
    return f" {said[1:2].upper()}{said[2:]} More below." if said and card and not card["unavailable_because"] else said


def _forecast(view: View, rows: Sequence[Row], country: str | None, card: Row | None) -> Figure:
    past = [row for row in rows if row["actual"] is not None][-_MONTHS:]
    future = [row for row in rows if row["forecast"] is not None]
    shown = [*past, *future]
    points = [
        Point(
            float(row["actual"]),
            label=tick(row["month"], place, len(shown)),
            title=f"{wording.month(row['month'])}: {written(row['actual'], 'whole_pounds')}",
        )
        for place, row in enumerate(past)
    ]

    def expected(level: str) -> list[Point]:
        return [
            Point(
                float(row["forecast"]),
                float(row[f"low_{level}"]),
                float(row[f"high_{level}"]),
                tick(row["month"], 0, len(shown)) if level == "80" else "",
                title=f"{wording.month(row['month'])}: {written(row['forecast'], 'whole_pounds')}, 80 %: "
                f"{written(row['low_80'], 'whole_pounds')} to {written(row['high_80'], 'whole_pounds')}",
            )
            for row in future
        ]

    series = [
        Series("observed", points),
        Series("95 %", expected("95"), style.ORANGE, "4 3", len(past)),
        Series("80 %", expected("80"), style.ORANGE, "4 3", len(past)),
    ]
    label = f"Net sales of the last months, and the forecast with its intervals{f', {country}' if country else ''}."
    table = Table(
        (
            Column("month", "Month", "month"),
            Column("observed", "Observed", "whole_pounds"),
            Column("forecast", "Forecast", "whole_pounds"),
            Column("low_80", "80 % from", "whole_pounds"),
            Column("high_80", "to", "whole_pounds"),
            Column("low_95", "95 % from", "whole_pounds"),
            Column("high_95", "to", "whole_pounds"),
        ),
        [
            tuple(row[name] for name in ("month", "actual", "forecast", "low_80", "high_80", "low_95", "high_95"))
            for row in shown
        ],
    )
    who = country or "all countries together"
    note = f"Net sales, doubled invoices once, {who}. Bands: 80 % and 95 % intervals, from past errors."
    if future:
        note += f" Method: {future[0]['method']}."
    if view.filters.segments or view.filters.cohorts or len(view.filters.countries) > 1:
        note += " Forecasts exist for all countries together and for single ones, not for groups of customers."
    kind = "country" if country else "total"
    error = _error(card, f"forecasts, {kind} by month, 3 ahead", _OFF)
    drawing = lines(label, series, lambda v: wording.short_pounds(v, 3)) if future else None
    key = (("observed", style.BLUE), ("forecast", style.ORANGE))
    return Figure("forecast", "What will sales be?", table, drawing, note + error, key if drawing else ())


def _earnings(rows: Sequence[Row], country: str | None) -> Figure:
    """What product sales have earned over their cost in the last months, and are expected to."""
    past = [row for row in rows if row["actual"] is not None][-_MONTHS_EARNED:]
    shown = [*past, *(row for row in rows if row["forecast"] is not None)]
    known = [row for row in shown if row["margin"] is not None]
    table = Table(
        (
            Column("month", "Month", "month"),
            Column("is_expected", "Earned or expected"),
            Column("margin", "Margin", "whole_pounds"),
            Column("margin_low", "Low, 80 %", "whole_pounds"),
            Column("margin_high", "High, 80 %", "whole_pounds"),
            Column("known_pct", "Of sales with a known cost", "percent"),
        ),
        [
            (
                *(row["month"], "expected" if row["forecast"] is not None else "earned", row["margin"]),
                *(row["margin_low"], row["margin_high"], 100 * row["known_share"]),
            )
            for row in known
        ],
    )
    note = (
        f"Product sales before returns less the unit cost valid on the day, {country or 'all countries together'}, "
        "doubled invoices once; earned: of the sales whose cost is known. Expected: the forecast of net sales, at what "
        "a pound with a known cost earned in the last twelve whole months. Its interval is that of sales: the rate may "
        "change as well."
    )
    return Figure(
        "earnings", "What will they earn?", table, note=note if known else f"No unit costs: {HOW_TO_GIVE_COSTS}."
    )


def _value(groups: Sequence[Row], card: Row | None) -> Figure:
    found = sorted((row for row in groups if row["kind"] == "decile"), key=lambda row: int(row["label"]))
    most = max((row["sales"] for row in found), default=1) or 1
    table = Table(
        (
            Column("tenth", "Tenth"),
            Column("customers", "Customers", "count"),
            Column("net_so_far", "Net so far", "whole_pounds"),
            Column("expected_sales", "Expected in a year", "whole_pounds"),
        ),
        [
            (row["label"], row["customers"], row["so_far"], Bar(row["sales"], float(row["sales"] / most * 100)))
            for row in found
        ],
    )
    note = (
        "Tenths of all customers by the sales expected of them in the next 365 days, before returns; 1 is the highest."
    )
    return Figure(
        "value",
        "What are customers worth in the next year?",
        table,
        note=note + _error(card, "customer_value, 182 days", VALUE_ERROR),
    )


def _risk(groups: Sequence[Row], card: Row | None) -> Figure:
    found = {row["label"]: row for row in groups if row["kind"] == "band"}
    shown = [found[band] for band in ("high", "medium", "low") if band in found]
    most = max((row["customers"] for row in shown), default=1)
    table = Table(
        (
            Column("risk", "Risk"),
            Column("customers", "Customers", "count"),
            Column("sales_365", "Sales of the last year", "whole_pounds"),
        ),
        [
            (row["label"].capitalize(), Bar(row["customers"], row["customers"] / most * 100), row["sales"])
            for row in shown
        ],
    )
    note = "Of those who bought in the last 365 days: the risk of no purchase in the next 90. Sales: at risk with them."
    if shown and not all(row["is_calibrated"] for row in shown):
        note += " On past days the level was too far off: trust the order, not the level."
    return Figure(
        "risk",
        "How many may stay away?",
        table,
        note=note + _error(card, "churn_risk, active in the last 365 days", ORDER_ERROR),
    )


def _churn(view: View, rows: Sequence[Row]) -> Figure:
    table = Table(
        (
            Column("customer_id", "Customer"),
            Column("segment", "Segment"),
            Column("risk", "Risk", "percent"),
            Column("days_late", "Days late", "count"),
            Column("sales_365", "Sales of the last year", "pounds"),
            Column("reason_1", "Why"),
            Column("reason_2", "and"),
        ),
        [
            (
                Link(row["customer_id"], view.link(f"/customers/{row['customer_id']}")),
                row["segment"],
                row["probability"] * 100 if row["is_calibrated"] else f"no. {row['rank']}",
                row["days"],
                row["sales_365"],
                row["reason_1"],
                row["reason_2"],
            )
            for row in rows
        ],
    )
    note = "Those of high risk who bought most in the last year. Late: since the day their usual gap led to expect."
    return Figure("churn", "Whom to write to before they are gone?", table, note=note)


def _slipping(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    table = Table(
        (
            Column("customer_id", "Customer"),
            Column("country", "Country"),
            Column("segment", "Segment"),
            Column("rank", "Place", "count"),
            Column("days_to_edge", "Days to the edge", "count"),
            Column("sales_365", "Sales of the last year", "pounds"),
        ),
        [
            (
                Link(row["customer_id"], view.link(f"/customers/{row['customer_id']}")),
                row["country"],
                row["segment"],
                row["rank"],
                row["days"],
                row["sales_365"],
            )
            for row in rows
        ],
    )
    note = "Champions and Loyal Customers by the risk of slipping within three months. A place, not a probability."
    return Figure(
        "slipping",
        "Which good customers slip next?",
        table,
        note=note + _error(card, "slipping, Loyal Customers and Champions", ORDER_ERROR),
    )


PAGE = Page(
    "/outlook",
    "outlook.html",
    ("rfm_history", "country_months"),
    show,
    label="Outlook",
    wished=TABLES,
    honours=frozenset({"country", "segment", "first_bought"}),
    refusal="Predictions are made from the end of the data.",
)
