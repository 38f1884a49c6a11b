"""Who will buy again, what is a customer worth, what will sales be? Beside each prediction, its past error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.content import FEW, FEWEST, Bar, Column, Few, Figure, Link, Table, written
from lgs_assets.dashboard.figures.lines import Point, Series, lines
from lgs_assets.dashboard.figures.shapes import PALE
from lgs_assets.dashboard.filters import PICKING
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.parts import (
    BEST,
    CARDS,
    STAY_ERROR,
    VALUE_ERROR,
    known_then,
    marked,
    or_few,
    past_error,
    tick,
)
from lgs_assets.dashboard.queries import Row, month_before
from lgs_assets.wording import HOW_TO_GIVE_COSTS, MISSING_YEAR_BEFORE, UNCALIBRATED

TABLES: Final = (
    *("customer_value", "churn_risk", "slipping", "forecasts", "model_cards", "model_evaluations", "margins"),
    *("expected_margins", "prediction_terms", "prediction_calibration", "products"),
)
_MONTHS: Final = 18
"""Months of the past beside a forecast."""
_FIRST: Final = 15
"""Customers of a list that are shown; its files have all of them."""
_MONTHS_EARNED: Final = 6
"""The same where they are a table."""
_TOO_FAR_OFF: Final = 0.1
"""The error of the total, on the worst past day, from which on nobody should budget with it."""
_OFF: Final = "the months were off by {}"
_WEEKS_OFF: Final = "the weeks were off by {}"
_SLIP_ERROR: Final = "in {} of pairs, the one who slipped had been placed before the one who did not"
_BAND_95, _BAND_80 = 0.25, 0.45
"""How opaque the bands are: the narrow one lies on the wide one."""
_ORANGE_95, _ORANGE_80 = "#f9e7bf", "#f0c769"
"""What they look like, in the key."""


_STOCKED: Final = (4, 13)
"""For how many weeks units are forecast."""
_OF_STOCK: Final = {
    "units": "Units in {} weeks",
    "low_80": "{} weeks, 80 % from",
    "high_80": "{} weeks, 80 % to",
    "year_before": "{} weeks a year before",
}
"""What is told of each, and its heading."""
_INTERVALS: Final = (
    Column("forecast", "Forecast", "whole_pounds"),
    Column("low_80", "80 % from", "whole_pounds"),
    Column("high_80", "80 % to", "whole_pounds"),
    Column("low_95", "95 % from", "whole_pounds"),
    Column("high_95", "95 % to", "whole_pounds"),
)


def show(view: View) -> Shown:
    """The forecast of sales, what customers are worth, who may stay away; with the error that each has shown."""
    title = "Who will buy again, and what will sales be?"
    if not view.reading.tables.issuperset(TABLES):
        return Shown(title, {"is_built": False})
    cards = {row["task"]: row for row in view.reading.once("model_cards", CARDS)}
    from_day = next((card["as_of"] for card in cards.values()), None)
    now = replace(view.filters, as_of=_month_of(view, from_day))
    listed = replace(view, filters=now)
    country = view.filters.countries[0] if len(view.filters.countries) == 1 else None
    # What came of the months that are forecast may be known already: LGS_AS_OF looks back.
    forecast = [row for row in view.rows("forecast", country=country) if _is_before_or_forecast(row)]
    weeks = view.rows("forecast_weeks", country=country)
    groups = view.matched("outlook_groups", filters=now)
    lists = view.matched("outlook_lists", filters=now, most=None if view.whole else _FIRST)
    judged = view.reading.once("calibration", ("prediction_calibration",))
    stock = view.reading.once("stock", ("forecasts", "products"))
    files: Files = {
        "forecast": _forecast(view, forecast, country, cards.get("forecasts")),
        "weeks": _weeks(view, weeks, country, cards.get("forecasts")),
        "stock": _stock(view, stock, cards.get("forecasts")),
        "earnings": _earnings(view, forecast, country),
        "value": _value(view, now.as_of, groups, cards.get("customer_value")),
        "value_check": _value_check(view, [row for row in judged if row["kind"] == "value"]),
        "risk": _risk(view, now.as_of, groups, cards.get("churn_risk")),
        "calibration": _calibration(view, [row for row in judged if row["kind"] == "risk"]),
        "churn": _churn(view, [row for row in lists if row["kind"] == "churn"], cards.get("churn_risk")),
        "slipping": _slipping(view, [row for row in lists if row["kind"] == "slipping"], cards.get("slipping")),
    }
    content = {
        "is_built": True,
        "cards": cards.values(),
        "known": known_then(next(iter(cards.values()), None)),
        "at_risk": listed.link_list(risks=("high",)),
        "good": listed.link_list(segments=BEST),
        **files,
    }
    return Shown(title, content, files, picked=sum(row["customers"] for row in groups if row["kind"] == "decile"))


def _is_before_or_forecast(row: Row) -> bool:
    return row["forecast"] is not None or row["first_month"] is None or bool(row["month"] < row["first_month"])


def _month_of(view: View, day: date | None) -> date:
    """The month at whose end customers are what they were when predictions were made; the last one without any."""
    snapshots = view.choices.snapshots
    return max(
        (month for month, moment in snapshots.items() if day and moment.date() <= day), default=view.choices.latest
    )


def _error(card: Row | None, task: str, sentence: str) -> str:
    """How wrong they were on past days, as a sentence of its own; or why there are none."""
    said = past_error(card, task, sentence)
    return f" {said[1:2].upper()}{said[2:]} More below." if said and card and not card["unavailable_because"] else said


def _forecast(view: View, rows: Sequence[Row], country: str | None, card: Row | None) -> Figure:
    """The months before and to come; beside them, the same months a year earlier."""
    observed = {row["month"]: row["actual"] for row in rows if row["actual"] is not None}
    past = [row for row in rows if row["actual"] is not None][-_MONTHS:]
    future = [row for row in rows if row["forecast"] is not None]
    shown = [*past, *future]
    earlier = [row["year_before"] or observed.get(month_before(row["month"], 12)) for row in shown]
    points = [
        Point(
            float(row["actual"]),
            label=tick(row["month"], place, len(shown)),
            title=f"{wording.month(row['month'])}: {written(row['actual'], 'whole_pounds')}",
        )
        for place, row in enumerate(past)
    ]
    expected = [
        Point(
            float(row["forecast"]),
            *_band(row, 80),
            tick(row["month"], 0, len(shown)),
            title=f"{wording.month(row['month'])}: {written(row['forecast'], 'whole_pounds')}{_between(row)}",
        )
        for row in future
    ]
    series = [
        Series("a year before", [Point(float(e) if e is not None else None) for e in earlier], style.MUTED, "2 3"),
        Series("observed", points),
        Series(
            "95 %",
            [Point(None, *_band(row, 95)) for row in future],
            style.ORANGE,
            start=len(past),
            opacity=_BAND_95,
        ),
        Series("80 %", expected, style.ORANGE, "4 3", len(past), _BAND_80),
    ]
    label = f"Net sales of the last months, and the forecast with its intervals{f', {country}' if country else ''}."
    table = Table(
        (
            Column("month", "Month", "month"),
            Column("observed", "Observed", "whole_pounds"),
            Column("year_before", "A year before", "whole_pounds"),
            *_INTERVALS,
        ),
        [
            (row["month"], row["actual"], before, *(row[column.name] for column in _INTERVALS))
            for row, before in zip(shown, earlier, strict=True)
        ],
    )
    note = f"Net sales, doubled invoices once, {country or 'all countries together'}. Intervals: from past errors."
    if future:
        note += (
            f" Method: {future[0]['method']}, from {_known(future[0]['month'])}.{_unobserved(future, 'year_before')}"
        )
    note += _without_interval(future) + _unforecast(future, country, card) + _unfollowed(view, country)
    kind = "country" if country else "total"
    error = _error(card, f"forecasts, {kind} by month, 3 ahead", _OFF)
    drawing = lines(label, series, lambda v: wording.short_pounds(v, 3)) if future else None
    key = (
        ("observed", style.BLUE),
        ("forecast", style.ORANGE),
        ("80 % interval", _ORANGE_80),
        ("95 % interval", _ORANGE_95),
        ("a year before", style.MUTED),
    )
    return Figure("forecast", "What will sales be?", table, drawing, note + error, key if drawing else ())


def _band(row: Row, level: int) -> tuple[float | None, float | None]:
    """The ends of an interval; None if the past errors are too few for one."""
    low, high = row[f"low_{level}"], row[f"high_{level}"]
    return (None, None) if low is None else (float(low), float(high))


def _between(row: Row) -> str:
    """The interval of 80 % in words, if there is one."""
    if row["low_80"] is None:
        return ""
    return f", 80 %: {written(row['low_80'], 'whole_pounds')} to {written(row['high_80'], 'whole_pounds')}"


def _leaning(card: Row | None) -> str:
    """By how much past forecasts of all products together were too low, or too high."""
    biases = (card["biases"] if card else None) or {}
    said = [
        f"{wording.percent(abs(100 * bias), 0)} too {'low' if bias < 0 else 'high'} over {weeks} weeks"
        for weeks in _STOCKED
        if (bias := biases.get(f"forecasts, product by week, {weeks} ahead")) is not None
    ]
    return f" On past days forecasts of all products together were {' and '.join(said)}." if said else ""


def _without_interval(rows: Sequence[Row], *ends: str) -> str:
    """Why intervals are missing, if any is."""
    is_known = all(row[low] is not None for row in rows for low in ends or ("low_80", "low_95"))
    return "" if is_known else " Where there is no interval, the past errors are too few for one."


def _known(first_day: date) -> str:
    """What a forecast that begins on a day knows: whole months or weeks, though later days may be known in part."""
    return f"sales to {wording.day(first_day - timedelta(days=1))}"


def _unobserved(rows: Sequence[Row], *columns: str) -> str:
    """What was done about a month that is missing a year before, if one is."""
    return f" {MISSING_YEAR_BEFORE}" if any(row[column] is None for row in rows for column in columns) else ""


def _unfollowed(view: View, country: str | None) -> str:
    return view.unfollowed("country") if country else view.unfollowed()


def _unforecast(rows: Sequence[Row], country: str | None, card: Row | None) -> str:
    """Why a country has no forecast, if so."""
    if rows or not country or (card and card["unavailable_because"]):
        return ""
    return (
        f" There is no forecast for {country} by itself: the eight countries with most sales have one each, the others "
        "one together."
    )


def _weeks(view: View, rows: Sequence[Row], country: str | None, card: Row | None) -> Figure:
    most = max((row["forecast"] for row in rows), default=1) or 1
    table = Table(
        (Column("week", "Week from", "day"), Column("year_before", "A year before", "whole_pounds"), *_INTERVALS),
        [
            (
                row["period_start"],
                row["year_before"],
                Bar(row["forecast"], float(row["forecast"] / most * 100)),
                *(row[column.name] for column in _INTERVALS[1:]),
            )
            for row in rows
        ],
    )
    kind, first = "country" if country else "total", "period_start"
    note = (
        f"Net sales of whole weeks, {country or 'all countries together'}, doubled invoices once; a year before: 52 "
        f"weeks earlier.{f' From {_known(rows[0][first])}.' if rows else ''}"
        f"{_unobserved(rows, 'year_before')}{_without_interval(rows)}{_unforecast(rows, country, card)}"
        f"{_unfollowed(view, country)}"
    )
    error = _error(card, f"forecasts, {kind} by week, 13 ahead", _WEEKS_OFF)
    return Figure("weeks", "What will each week bring?", table, note=note + error)


def _stock(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    table = Table(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            *(
                Column(f"{name}_{weeks}_weeks", label.format(weeks), "count")
                for weeks in _STOCKED
                for name, label in _OF_STOCK.items()
            ),
        ),
        [
            (row["code"], row["description"], *(row[f"{name}_{weeks}"] for weeks in _STOCKED for name in _OF_STOCK))
            for row in rows
        ],
    )
    note = "The best-selling products, everybody’s orders together."
    if rows:
        note = f"From the week of {wording.day(rows[0]['first_week'])}: the best-selling products, all orders together."
    note += " Each interval covers all of its weeks together, from past errors of such sums: look at it before you buy."
    note += f"{_leaning(card)}{_without_interval(rows, 'low_80_4', 'low_80_13')}"
    note += f"{_unobserved(rows, 'year_before_4', 'year_before_13')}{view.unfollowed()}"
    error = _error(card, "forecasts, product by week, 4 ahead", "the weeks of a product were off by {}")
    return Figure("stock", "What should we have in stock?", table, note=note + error)


def _earnings(view: View, rows: Sequence[Row], country: str | None) -> Figure:
    """What product sales have earned over their cost in the last months, and are expected to."""
    past = [row for row in rows if row["actual"] is not None][-_MONTHS_EARNED:]
    shown = [*past, *(row for row in rows if row["forecast"] is not None)]
    known = [row for row in shown if row["margin"] is not None]
    table = Table(
        (
            Column("month", "Month", "month"),
            Column("rate", "At which rate"),
            Column("margin", "Margin of net sales", "whole_pounds"),
            Column("margin_low", "Low, 80 %", "whole_pounds"),
            Column("margin_high", "High, 80 %", "whole_pounds"),
            Column("known_pct", "Of sales with a known cost", "percent"),
        ),
        [
            (
                *(row["month"], "expected" if row["forecast"] is not None else "that month’s", row["margin"]),
                *(row["margin_low"], row["margin_high"], 100 * row["known_share"]),
            )
            for row in known
        ],
    )
    note = (
        f"Net sales, {country or 'all countries together'}, doubled invoices once, times the margin rate: what each "
        "pound of product sales with a known unit cost earned, in that month or, for months to come, over the last "
        "twelve whole months. Sales of unknown cost are assumed to earn the same. The interval covers sales only; the "
        "rate may change too, and past errors of expected margins are not measured."
        f"{_unfollowed(view, country)}"
    )
    return Figure(
        "earnings",
        "What margin will sales bring?",
        table,
        note=note if known else f"No unit costs: {HOW_TO_GIVE_COSTS}.",
    )


def _value(view: View, now: date | None, groups: Sequence[Row], card: Row | None) -> Figure:
    found = sorted((row for row in groups if row["kind"] == "decile"), key=lambda row: int(row["label"]))
    most = max((row["sales"] for row in found), default=1) or 1
    table = Table(
        (
            Column("tenth", "Tenth"),
            Column("customers", "Customers", "count"),
            Column("net_so_far", "Net so far", "whole_pounds"),
            Column("expected_sales", "Expected in 182 days", "whole_pounds"),
        ),
        [
            (
                row["label"],
                Link(row["customers"], view.link("/customers", as_of=now, tenth=int(row["label"]))),
                row["so_far"],
                Bar(row["sales"], float(row["sales"] / most * 100)),
            )
            for row in found
        ],
    )
    note = (
        "Tenths of all customers by the sales expected of them in the next 182 days, before returns; 1 is the highest."
    )
    if card and (total := card["total_error"])["value"] is not None:
        off, least, most = (wording.percent(100 * total[name], 0) for name in ("value", "least", "most"))
        note += f" On past days the total was off by {off} on average"
        note += f", by {least} on the best day and {most} on the worst." if least != most else "."
        note += " Do not budget with it." if total["most"] > _TOO_FAR_OFF else ""
    return Figure(
        "value",
        "What are customers worth in the next half year?",
        table,
        note=note + _error(card, "customer_value, 182 days", VALUE_ERROR),
    )


def _value_check(view: View, rows: Sequence[Row]) -> Figure:
    most = max((max(row["predicted"], row["came"]) for row in rows), default=1) or 1
    table = Table(
        (
            Column("tenth", "Tenth"),
            Column("predictions", "Predictions", "count"),
            Column("expected", "Expected per customer", "whole_pounds"),
            Column("came", "Actual per customer", "whole_pounds"),
            Column("error_low_pct", "Lowest error of a day", "change_percent"),
            Column("error_high_pct", "Highest", "change_percent"),
        ),
        [
            (
                str(row["place"]),
                row["customers"],
                *(Bar(row[name], row[name] / most * 100, fill) for name, fill in (("predicted", ""), ("came", PALE))),
                *_of_days(row),
            )
            for row in rows
        ],
    )
    asked = _asked(rows, "who had ever bought")
    note = f"Sales in 182 days, before returns, a customer on average. {asked}"
    if rows and rows[0]["days"] > 1:
        low, high = (wording.change(100 * rows[0][f"total_{end}"], 0) for end in ("low", "high"))
        note += f" Averages hide this: on single days the total was off by anything from {low} to {high}."
    note += view.unfollowed()
    return Figure("value_check", "What was expected on past days, and what was spent?", table, note=note)


def _of_days(row: Row) -> tuple[Any, ...]:
    """By how much what was told of a tenth was too low, or too high, on single days: in per cent, or in points."""
    return tuple(
        or_few(None if row[name] is None else 100 * row[name], row["fewest"]) for name in ("error_low", "error_high")
    )


def _asked(rows: Sequence[Row], who: str) -> str:
    """On which past days, and of whom, as a sentence."""
    if not rows:
        return "There is no past day to judge by."
    first, last = min(row["first_day"] for row in rows), max(row["last_day"] for row in rows)
    days = wording.counted(max(row["days"] for row in rows), "past day")
    return f"Asked on {days}, {wording.span(wording.day(first), wording.day(last))}, of all {who}."


def _calibration(view: View, rows: Sequence[Row]) -> Figure:
    """How many of each tenth did as was told: a percentage of fewer than 30 says nothing."""
    table = Table(
        (
            Column("tenth", "Tenth"),
            Column("predictions", "Predictions", "count"),
            Column("predicted_pct", "Predicted on average", "percent"),
            Column("came_pct", "Stayed away", "percent"),
            Column("error_low_points", "Lowest gap of a day, points", "decimal"),
            Column("error_high_points", "Highest", "decimal"),
        ),
        [
            (
                str(row["place"]),
                row["customers"],
                or_few(100 * row["predicted"], row["customers"]),
                Bar(100 * row["came"], 100 * row["came"]) if row["customers"] >= FEWEST else Bar(Few(FEW), 0),
                *_of_days(row),
            )
            for row in rows
        ],
    )
    note = (
        "The risk of no order in 90 days, as it would have been told, by tenth of the customers of each day; 1 is the "
        "highest. Where the two percentages are far apart, the level is off; the order may hold all the same. "
        f"{_asked(rows, 'who had bought in the year before')}"
    )
    if rows:
        off, least, most = (f"{100 * rows[0][name]:.0f}" for name in ("mean_off", "least_off", "most_off"))
        note += f" Predicted and observed are {off} points apart on average"
        if rows[0]["days"] > 1:
            note += (
                f", {least} on the best day and {most} on the worst: averaged over the days, these partly cancel out"
            )
        note += "."
    note += view.unfollowed()
    return Figure("calibration", "How many of each risk group stayed away?", table, note=note)


def _risk(view: View, now: date | None, groups: Sequence[Row], card: Row | None) -> Figure:
    found = {row["label"]: row for row in groups if row["kind"] == "band"}
    shown = [found[band] for band in ("high", "medium", "low") if band in found]
    most = max((row["customers"] for row in shown), default=1)
    table = Table(
        (
            Column("risk", "Risk"),
            Column("customers", "Customers", "count"),
            Column("sales_365", "Sales before returns, last year", "whole_pounds"),
        ),
        [
            (
                row["label"].capitalize(),
                Bar(
                    Link(row["customers"], view.link("/customers", as_of=now, risks=(row["label"],))),
                    row["customers"] / most * 100,
                ),
                row["sales"],
            )
            for row in shown
        ],
    )
    note = (
        "Of those who bought in the last 365 days: the risk of no purchase in the next 90. Sales: what they bought in "
        "the last year. A click on a number lists the customers."
    )
    if shown and not all(row["is_calibrated"] for row in shown):
        note += f" {UNCALIBRATED}"
    return Figure(
        "risk",
        "How many may stay away?",
        table,
        note=note + _error(card, "churn_risk, active in the last 365 days", STAY_ERROR),
    )


def _churn(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    table = Table(
        (
            Column("customer_id", "Customer"),
            Column("segment", "Segment"),
            Column("risk", "Risk", "percent"),
            Column("next_order", "Next order"),
            Column("sales_365", "Sales before returns, last year", "pounds"),
            Column("reasons", "Why"),
        ),
        [
            (
                Link(row["customer_id"], view.link(f"/customers/{row['customer_id']}")),
                row["segment"],
                row["probability"] * 100 if row["is_calibrated"] else f"no. {row['rank']}",
                wording.due(row["days"]) or None,
                row["sales_365"],
                row["reasons"],
            )
            for row in rows
        ],
    )
    note = "Customers at high risk who spent most in the last year. Next order: when it was, or is, due by their "
    note += "usual gap; – after a single purchase day. "
    note += "Why: compared with the average customer."
    note += f" Both as of {wording.day(card['observed_until'])}." if card and card["observed_until"] else ""
    note += _first_of(rows)
    return Figure("churn", "Who should we write to before they leave?", marked(table, rows), note=note)


def _first_of(rows: Sequence[Row]) -> str:
    """How many there are, if they are more than those that are shown."""
    count = rows[0]["all_customers"] if rows else 0
    return (
        f" The first {len(rows)} of {wording.counted(count, 'customer')}; the files have all."
        if count > len(rows)
        else ""
    )


def _slipping(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    table = Table(
        (
            Column("customer_id", "Customer"),
            Column("country", "Country"),
            Column("segment", "Segment"),
            Column("rank", "Place", "count"),
            Column("days_to_edge", "Days to the edge", "count"),
            Column("sales_365", "Sales before returns, last year", "pounds"),
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
    if card and card["as_of"]:
        note += f" To the edge: from {wording.day(card['as_of'])} on, if they do not order."
    note += _first_of(rows)
    return Figure(
        "slipping",
        "Which good customers slip next?",
        marked(table, rows),
        note=note + _error(card, "slipping, Loyal Customers and Champions", _SLIP_ERROR),
    )


PAGE = Page(
    "/outlook",
    "outlook.html",
    ("rfm_history", "country_months", "audience_members"),
    show,
    label="Outlook",
    wished=TABLES,
    honours=PICKING - {"as_of", "step"},
    refusal="Predictions are made from one day, whatever month is looked at.",
    is_live=True,
)
