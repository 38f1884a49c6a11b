"""Do customers come back, and is it getting better?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from lgs_assets.charts import style, wording
from lgs_assets.dashboard.content import FEWEST, Column, Figure, Shade, Table
from lgs_assets.dashboard.figures.lines import Point, Series, lines
from lgs_assets.dashboard.pages.page import Page, Shown, View
from lgs_assets.dashboard.pages.parts import or_few, shade
from lgs_assets.dashboard.queries import Row

_LEVEL: Final = 1.645
"""Of a 90 % interval."""


def show(view: View) -> Shown:
    """The triangle of retention, the curve of all cohorts, and how soon the second order comes."""
    cohorts = [row for row in view.rows("cohorts") if row["invoice_month"] <= view.as_of]
    curve = view.rows("retention_curve")
    second = view.rows("second_purchases")
    files = {"retention": _triangle(cohorts), "curve": _curve(curve), "second": _second(second)}
    return Shown("Do customers come back, and is it getting better?", {"moment": view.moment(), **files}, dict(files))


def _triangle(rows: Sequence[Row]) -> Figure:
    cells = {(row["cohort_month"], row["months_since"]): row for row in rows}
    longest = max((since for _, since in cells), default=0)
    most = max((float(row["retention_pct"]) for (_, since), row in cells.items() if since), default=0)
    listed = []
    for cohort in sorted({cohort for cohort, _ in cells}):
        first = cells[cohort, 0]
        line: list[Any] = [_named(cohort, is_censored=first["is_left_censored"]), first["customers"]]
        for since in range(1, longest + 1):
            row = cells.get((cohort, since))
            line.append(_cell(row, most) if row else "")
        listed.append(line)
    table = Table(
        (
            Column("cohort", "First order in"),
            Column("customers", "Customers", "count"),
            *(Column(f"month_{since}", f"{since}", "whole_percent") for since in range(1, longest + 1)),
        ),
        listed,
    )
    note = (
        "Of the customers who first ordered in a month, the percentage that ordered again that many months later. "
        "* The first month of the data also holds older customers. † A month that is not over. "
        f"Grey: fewer than {FEWEST} customers."
    )
    return Figure("retention", "Who comes back, how many months later?", table, note=note)


def _named(cohort: date, *, is_censored: bool) -> str:
    return f"{wording.month(cohort)}{' *' if is_censored else ''}"


def _cell(row: Row, most: float) -> Any:
    value = float(row["retention_pct"])
    if row["customers"] < FEWEST:
        return or_few(value, row["customers"])
    return Shade(f"{value:.0f} †" if row["is_partial"] else value, shade(value, most))


def _curve(rows: Sequence[Row]) -> Figure:
    later = [row for row in rows if row["months_since"]]
    points, listed = [], []
    for row in later:
        share = row["active"] / row["customers"]
        error = _LEVEL * (share * (1 - share) / row["customers"]) ** 0.5 * 100
        points.append(
            Point(
                share * 100,
                share * 100 - error,
                share * 100 + error,
                str(row["months_since"]) if row["months_since"] % 3 == 0 else "",
                f"After {wording.counted(row['months_since'], 'month')}: {wording.percent(share * 100)} of "
                f"{wording.count(row['customers'])}",
            )
        )
        listed.append(
            (
                row["months_since"],
                row["cohorts"],
                row["customers"],
                row["active"],
                share * 100,
                share * 100 - error,
                share * 100 + error,
            )
        )
    table = Table(
        (
            Column("months_since", "Months since", "count"),
            Column("cohorts", "Cohorts", "count"),
            Column("customers", "Customers", "count"),
            Column("active", "Ordered again", "count"),
            Column("retention_pct", "Retention", "percent"),
            Column("low", "90 % from", "percent"),
            Column("high", "to", "percent"),
        ),
        listed,
    )
    drawing = (
        lines(
            "Retention of all cohorts together, by months since the first order, with a 90 % band.",
            [Series("all cohorts", points, style.BLUE)],
            lambda v: wording.percent(v, 0),
        )
        if points
        else None
    )
    note = (
        "All cohorts of whole months together, the first of the data left out. Band: 90 % interval of a share. "
        "Below: months since the first order."
    )
    return Figure("curve", "How many come back in each later month?", table, drawing, note=note)


def _second(rows: Sequence[Row]) -> Figure:
    cohorts = sorted({row["cohort_month"] for row in rows})
    cells = {(row["cohort_month"], row["window_days"]): row for row in rows}
    listed = []
    for cohort in cohorts:
        found = {days: cells.get((cohort, days)) for days in (30, 60, 90, 180)}
        any_row = next(row for row in found.values() if row)
        line: list[Any] = [_named(cohort, is_censored=any_row["is_left_censored"]), any_row["customers"]]
        line += [or_few(float(row["second_purchase_pct"]), row["customers"]) if row else None for row in found.values()]
        listed.append(line)
    table = Table(
        (
            Column("cohort", "First order in"),
            Column("customers", "Customers", "count"),
            *(Column(f"within_{days}", f"{days} days", "percent") for days in (30, 60, 90, 180)),
        ),
        listed,
    )
    return Figure(
        "second",
        "How soon does the second order come?",
        table,
        note="Ordered on a second day within that many days; only windows that are over. "
        "This is what a welcome series has to move.",
    )


PAGE = Page(
    "/cohorts",
    "cohorts.html",
    ("cohort_retention", "cohort_retention_pooled", "second_purchases"),
    show,
    label="Cohorts",
    honours=frozenset({"as_of"}),
    refusal="Cohorts are counted for all customers together only.",
)
