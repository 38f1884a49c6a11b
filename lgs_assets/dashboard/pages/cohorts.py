"""Do customers come back, and is it getting better?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.dashboard.content import DOT_NOTE, FEW, FEWEST, Column, Few, Figure, Shade, Table
from lgs_assets.dashboard.figures.lines import Point, Series, lines
from lgs_assets.dashboard.filters import quarter_of
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.pages.parts import or_few, shade
from lgs_assets.dashboard.queries import Row

_LEVEL: Final = 1.645
"""Of a 90 % interval."""


@dataclass(frozen=True)
class _Pooled:
    """Cohorts together, so many months after their first order."""

    months_since: int
    cohorts: int
    customers: int
    active: int

    @property
    def retention(self) -> float:
        """In percent."""
        return self.active / self.customers * 100

    @property
    def error(self) -> float:
        """Half of the 90 % interval, in points."""
        share = self.active / self.customers
        return float(_LEVEL * (share * (1 - share) / self.customers) ** 0.5 * 100)


def show(view: View) -> Shown:
    """The triangle of retention, the curve of the chosen cohorts and of all, and how soon the second order comes.

    All of it is what was known at the end of the month that is looked at.
    """
    known = [row for row in view.rows("cohorts") if row["invoice_month"] <= view.as_of]
    second = view.rows("second_purchases", snapshot=view.choices.snapshots[view.as_of])
    cohorts = _chosen(view, known)
    files: Files = {
        "retention": _triangle(view, cohorts),
        "retention_customers": _counts(cohorts),
        "curve": _curve(view, known, cohorts),
        "second": _second(view, _chosen(view, second)),
    }
    return Shown("Do customers come back, and is it getting better?", dict(files), files)


def _chosen(view: View, rows: Sequence[Row]) -> list[Row]:
    """Those of the quarters that the filters pick; all if they pick none."""
    quarters = view.filters.cohorts
    return [row for row in rows if not quarters or quarter_of(row["cohort_month"]) in quarters]


def _triangle(view: View, rows: Sequence[Row]) -> Figure:
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
        f"{DOT_NOTE} As of {view.end()}."
    )
    return Figure("retention", "Who comes back, how many months later?", table, note=note)


def _named(cohort: date, *, is_censored: bool) -> str:
    return f"{wording.month(cohort)}{' *' if is_censored else ''}"


def _cell(row: Row, most: float) -> Any:
    value = float(row["retention_pct"])
    if row["customers"] < FEWEST:
        return Few(FEW, is_marked=True)
    title = f"{wording.count(row['active'])} of {wording.counted(row['customers'], 'customer')}"
    return Shade(f"{value:.0f} †" if row["is_partial"] else value, shade(value, most), title)


def _counts(rows: Sequence[Row]) -> Table:
    """What each percentage of the triangle is of, for its file."""
    return Table(
        (
            Column("cohort", "First order in", "month"),
            Column("months_since", "Months since", "count"),
            Column("month", "Month", "month"),
            Column("customers", "Customers", "count"),
            Column("active", "Ordered again", "count"),
            Column("retention_pct", "Retention", "percent"),
            Column("is_partial", "Not over"),
        ),
        [
            (
                *(row[name] for name in ("cohort_month", "months_since", "invoice_month", "customers", "active")),
                *(row["retention_pct"], "yes" if row["is_partial"] else ""),
            )
            for row in rows
        ],
    )


def _pooled(rows: Sequence[Row]) -> list[_Pooled]:
    """Whole months together, the first cohort of the data left out."""
    by_month: dict[int, list[Row]] = {}
    for row in rows:
        if row["months_since"] and not row["is_partial"] and not row["is_left_censored"]:
            by_month.setdefault(row["months_since"], []).append(row)
    return [
        _Pooled(months, len(found), sum(row["customers"] for row in found), sum(row["active"] for row in found))
        for months, found in sorted(by_month.items())
    ]


def _points(pooled: Sequence[_Pooled], *, labelled: bool) -> list[Point]:
    return [
        Point(
            one.retention if one.customers >= FEWEST else None,
            one.retention - one.error if one.customers >= FEWEST else None,
            one.retention + one.error if one.customers >= FEWEST else None,
            str(one.months_since) if labelled and one.months_since % 3 == 0 else "",
            f"After {wording.counted(one.months_since, 'month')}: {wording.percent(one.retention)} of "
            f"{wording.count(one.customers)}",
        )
        for one in pooled
    ]


def _curve(view: View, known: Sequence[Row], cohorts: Sequence[Row]) -> Figure:
    """All cohorts, and beside them those that the filters pick."""
    everybody, picked = _pooled(known), _pooled(cohorts) if view.filters.cohorts else []
    chosen = {one.months_since: one for one in picked}
    name = ", ".join(quarter.replace("-", " ") for quarter in view.filters.cohorts)
    columns = [
        Column("months_since", "Months since", "count"),
        Column("cohorts", "Cohorts", "count"),
        Column("customers", "Customers", "count"),
        Column("active", "Ordered again", "count"),
        Column("retention_pct", "Retention", "percent"),
        Column("low", "90 % from", "percent"),
        Column("high", "90 % to", "percent"),
    ]
    listed = [
        [one.months_since, one.cohorts, one.customers, one.active]
        + [
            or_few(value, one.customers)
            for value in (one.retention, one.retention - one.error, one.retention + one.error)
        ]
        for one in everybody
    ]
    if name:
        columns += [Column("chosen_customers", f"{name}: customers", "count"), Column("chosen_pct", name, "percent")]
        for row in listed:
            one = chosen.get(row[0])
            row += [one.customers, or_few(one.retention, one.customers)] if one else [None, None]
    series = [Series("all cohorts", _points(everybody, labelled=True), style.BLUE)]
    series += [Series(name, _points(picked, labelled=False), style.ORANGE)] if picked else []
    label = f"Retention by months since the first order, of all cohorts together{f' and of {name}' if picked else ''}."
    drawing = lines(label, series, lambda v: wording.percent(v, 0)) if everybody else None
    note = (
        f"As of {view.end()}: all cohorts of whole months together, the first of the data "
        "left out. Band: 90 % interval of a share. Below: months since the first order."
    )
    if name and not picked:
        note += f" Of {name} there is no whole month later yet, or it is the first cohort of the data."
    elif not name:
        note += " “First bought” above puts cohorts beside all."
    key = ([("all cohorts", style.BLUE), (name, style.ORANGE)]) if picked else []
    return Figure("curve", "How many come back in each later month?", Table(tuple(columns), listed), drawing, note, key)


def _second(view: View, rows: Sequence[Row]) -> Figure:
    cohorts = sorted({row["cohort_month"] for row in rows})
    cells = {(row["cohort_month"], row["window_days"]): row for row in rows}
    listed = []
    for cohort in cohorts:
        found = {days: cells.get((cohort, days)) for days in (30, 60, 90, 180)}
        any_row = next(row for row in found.values() if row)
        line: list[Any] = [_named(cohort, is_censored=any_row["is_left_censored"]), any_row["customers"]]
        line += [
            or_few(float(row["second_purchase_pct"]), row["customers"], is_marked=True) if row else None
            for row in found.values()
        ]
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
        note="Ordered on a second day within that many days; only windows that were over by "
        f"{view.end()}. This is what a welcome series has to move. {DOT_NOTE}",
    )


PAGE = Page(
    "/cohorts",
    "cohorts.html",
    ("cohort_retention", "second_purchases"),
    show,
    label="Cohorts",
    honours=frozenset({"as_of", "first_bought"}),
    refusal="Cohorts always hold all customers of a month.",
)
