"""The figures of Outlook on sales: by month and week, of products, and what they earn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.content import Bar, Column, Figure, Table, written
from lgs_assets.dashboard.figures.lines import Point, Series, lines
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.pages.parts import tick
from lgs_assets.dashboard.pages.predictions import error_sentence
from lgs_assets.dashboard.queries import Row, month_before
from lgs_assets.wording import HOW_TO_GIVE_COSTS, MISSING_YEAR_BEFORE

_MONTHS: Final = 18
"""Months of the past beside a forecast."""
_MONTHS_EARNED: Final = 6
"""The same where they are a table of what sales earned."""
_OFF: Final = "the months were off by {}"
_WEEKS_OFF: Final = "the weeks were off by {}"
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


def forecast(view: View, rows: Sequence[Row], country: str | None, card: Row | None) -> Figure:
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
    table = Table.of(
        (
            Column("month", "Month", "month"),
            Column("observed", "Observed", "whole_pounds"),
            Column("year_before", "A year before", "whole_pounds"),
            *_INTERVALS,
        ),
        ({**row, "observed": row["actual"], "year_before": before} for row, before in zip(shown, earlier, strict=True)),
    )
    note = f"Net sales, doubled invoices once, {country or 'all countries together'}. Intervals: from past errors."
    if future:
        note += (
            f" Method: {future[0]['method']}, from {_known(future[0]['month'])}.{_unobserved(future, 'year_before')}"
        )
    note += _without_interval(future) + _unforecast(future, country, card) + _unfollowed(view, country)
    kind = "country" if country else "total"
    error = error_sentence(card, f"forecasts, {kind} by month, 3 ahead", _OFF)
    drawing = lines(label, series, lambda v: wording.short_pounds(v, 3)) if future else None
    key = (
        ("observed", style.BLUE),
        ("forecast", style.ORANGE),
        ("80 % interval", _ORANGE_80),
        ("95 % interval", _ORANGE_95),
        ("a year before", style.MUTED),
    )
    return Figure("forecast", "What will sales be?", table, drawing, note + error, key if drawing else ())


def weeks(view: View, rows: Sequence[Row], country: str | None, card: Row | None) -> Figure:
    """The weeks to come, each beside the same one a year before."""
    most = max((row["forecast"] for row in rows), default=0)
    table = Table.of(
        (Column("week", "Week from", "day"), Column("year_before", "A year before", "whole_pounds"), *_INTERVALS),
        ({**row, "week": row["period_start"], "forecast": Bar.of(row["forecast"], most)} for row in rows),
    )
    kind, first = "country" if country else "total", "period_start"
    note = (
        f"Net sales of whole weeks, {country or 'all countries together'}, doubled invoices once; a year before: 52 "
        f"weeks earlier.{f' From {_known(rows[0][first])}.' if rows else ''}"
        f"{_unobserved(rows, 'year_before')}{_without_interval(rows)}{_unforecast(rows, country, card)}"
        f"{_unfollowed(view, country)}"
    )
    error = error_sentence(card, f"forecasts, {kind} by week, 13 ahead", _WEEKS_OFF)
    return Figure("weeks", "What will each week bring?", table, note=note + error)


def stock(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    """The best-selling products: how many units the next weeks may ask for."""
    table = Table.of(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            *(
                Column(f"{name}_{weeks}_weeks", label.format(weeks), "count")
                for weeks in _STOCKED
                for name, label in _OF_STOCK.items()
            ),
        ),
        (
            {
                **row,
                "product": row["description"],
                **{f"{name}_{weeks}_weeks": row[f"{name}_{weeks}"] for weeks in _STOCKED for name in _OF_STOCK},
            }
            for row in rows
        ),
    )
    note = "The best-selling products, everybody’s orders together."
    if rows:
        note = f"From the week of {wording.day(rows[0]['first_week'])}: the best-selling products, all orders together."
    note += " Each interval covers all of its weeks together, from past errors of such sums: look at it before you buy."
    note += f"{_leaning(card)}{_without_interval(rows, 'low_80_4', 'low_80_13')}"
    note += f"{_unobserved(rows, 'year_before_4', 'year_before_13')}{view.unfollowed()}"
    error = error_sentence(card, "forecasts, product by week, 4 ahead", "the weeks of a product were off by {}")
    return Figure("stock", "What should we have in stock?", table, note=note + error)


def earnings(view: View, rows: Sequence[Row], country: str | None) -> Figure:
    """What product sales have earned over their cost in the last months, and are expected to."""
    past = [row for row in rows if row["actual"] is not None][-_MONTHS_EARNED:]
    shown = [*past, *(row for row in rows if row["forecast"] is not None)]
    known = [row for row in shown if row["margin"] is not None]
    table = Table.of(
        (
            Column("month", "Month", "month"),
            Column("rate", "At which rate"),
            Column("margin", "Margin of net sales", "whole_pounds"),
            Column("margin_low", "Low, 80 %", "whole_pounds"),
            Column("margin_high", "High, 80 %", "whole_pounds"),
            Column("known_pct", "Of sales with a known cost", "percent"),
        ),
        (
            {
                **row,
                "rate": "expected" if row["forecast"] is not None else "that month’s",
                "known_pct": 100 * row["known_share"],
            }
            for row in known
        ),
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
    """What past forecasts of all products together came to, against what was sold."""
    biases = (card["biases"] if card else None) or {}
    said = [
        f"{wording.change(100 * bias['value'], 0)} over {weeks} weeks{_likely(bias)}"
        for weeks in _STOCKED
        if (bias := biases.get(f"forecasts, product by week, {weeks} ahead")) and bias["value"] is not None
    ]
    return f" Past forecasts of all products together, against what was sold: {', '.join(said)}." if said else ""


def _likely(bias: Row) -> str:
    """The interval of a figure, in which past days say that it lies."""
    low, high = bias["low"], bias["high"]
    return "" if low is None else f" (95 %: {wording.change(100 * low, 0)} to {wording.change(100 * high, 0)})"


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
