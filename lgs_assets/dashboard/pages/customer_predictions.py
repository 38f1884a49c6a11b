"""The figures of Outlook on customers: what they are worth, who may stay away or slip, and how well that was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.dashboard.content import FEW, FEWEST, Bar, Column, Few, Figure, Link, Table
from lgs_assets.dashboard.figures.shapes import PALE
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.pages.parts import marked, or_few
from lgs_assets.dashboard.pages.predictions import STAY_ERROR, VALUE_ERROR, error_sentence
from lgs_assets.dashboard.queries import Row
from lgs_assets.wording import UNCALIBRATED

_TOO_FAR_OFF: Final = 0.1
"""The error of the total, on the worst past day, from which on nobody should budget with it."""
_SLIP_ERROR: Final = "in {} of pairs, the one who slipped had been placed before the one who did not"


def value(view: View, now: date | None, groups: Sequence[Row], card: Row | None) -> Figure:
    """Customers in tenths by the sales expected of them."""
    found = sorted((row for row in groups if row["kind"] == "decile"), key=lambda row: int(row["label"]))
    most = max((row["sales"] for row in found), default=0)
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
                Bar.of(row["sales"], most),
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
        note=note + error_sentence(card, "customer_value, 182 days", VALUE_ERROR),
    )


def value_check(view: View, rows: Sequence[Row]) -> Figure:
    """The same tenths on past days: what was expected of them, and what came."""
    most = max((max(row["predicted"], row["came"]) for row in rows), default=0)
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
                *(Bar.of(row[name], most, fill) for name, fill in (("predicted", ""), ("came", PALE))),
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


def risk(view: View, now: date | None, groups: Sequence[Row], card: Row | None) -> Figure:
    """How many customers are in each band of risk."""
    found = {row["label"]: row for row in groups if row["kind"] == "band"}
    shown = [found[band] for band in ("high", "medium", "low") if band in found]
    most = max((row["customers"] for row in shown), default=0)
    table = Table(
        (
            Column("risk", "Risk"),
            Column("customers", "Customers", "count"),
            Column("sales_365", "Sales before returns, last year", "whole_pounds"),
        ),
        [
            (
                row["label"].capitalize(),
                Bar.of(Link(row["customers"], view.link("/customers", as_of=now, risks=(row["label"],))), most),
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
        note=note + error_sentence(card, "churn_risk, active in the last 365 days", STAY_ERROR),
    )


def calibration(view: View, rows: Sequence[Row]) -> Figure:
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


def churn(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    """Customers at high risk, those who spend most first."""
    table = Table.of(
        (
            Column("customer_id", "Customer"),
            Column("segment", "Segment"),
            Column("risk", "Risk", "percent"),
            Column("due", "Next order due", "day"),
            Column("next_order", "That is", "words"),
            Column("sales_365", "Sales before returns, last year", "pounds"),
            Column("reasons", "Why"),
        ),
        (
            {
                **row,
                "customer_id": view.link_customer(row["customer_id"]),
                "risk": row["probability"] * 100 if row["is_calibrated"] else f"no. {row['rank']}",
                "next_order": wording.due(row["days"]) or None,
            }
            for row in rows
        ),
    )
    note = "Customers at high risk who spent most in the last year. Next order due: by their usual gap; – after a "
    note += "single purchase day. "
    note += "Why: compared with the average customer."
    note += f" Both as of {wording.day(card['observed_until'])}." if card and card["observed_until"] else ""
    note += _first_of(rows)
    return Figure("churn", "Who should we write to before they leave?", marked(table, rows), note=note)


def slipping(view: View, rows: Sequence[Row], card: Row | None) -> Figure:
    """Good customers in the order in which they may slip."""
    table = Table.of(
        (
            Column("customer_id", "Customer"),
            Column("country", "Country"),
            Column("segment", "Segment"),
            Column("rank", "Place", "count"),
            Column("days_to_edge", "Days to the edge", "count"),
            Column("sales_365", "Sales before returns, last year", "pounds"),
        ),
        ({**row, "customer_id": view.link_customer(row["customer_id"]), "days_to_edge": row["days"]} for row in rows),
    )
    note = "Champions and Loyal Customers by the risk of slipping within three months. A place, not a probability."
    if card and card["as_of"]:
        note += f" To the edge: from {wording.day(card['as_of'])} on, if they do not order."
    note += _first_of(rows)
    return Figure(
        "slipping",
        "Which good customers slip next?",
        marked(table, rows),
        note=note + error_sentence(card, "slipping, Loyal Customers and Champions", _SLIP_ERROR),
    )


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


def _first_of(rows: Sequence[Row]) -> str:
    """How many there are, if they are more than those that are shown."""
    count = rows[0]["all_customers"] if rows else 0
    return (
        f" The first {len(rows)} of {wording.counted(count, 'customer')}; the files have all."
        if count > len(rows)
        else ""
    )
