"""How are we doing, and what needs doing this week?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.dashboard.content import (
    FEWEST,
    Bar,
    Column,
    Figure,
    Kind,
    Link,
    Number,
    Table,
    compared,
    share,
    written,
)
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.pages.page import Page, Shown, View
from lgs_assets.dashboard.pages.parts import BEST, colour, held_twice, or_few, sales_by_month
from lgs_assets.dashboard.queries import Row, month_before

LOST: Final = "Can't Lose"
GONE: Final = (LOST, "At Risk", "About to Sleep", "Hibernating")
FRESH: Final = ("New Customers", "Promising")
_TALL: Final = 310
"""Height of the columns in pixels; they stand beside the list of what to do."""
WORTH: Final = 1000
"""Pounds of sales from which a customer who stays away is worth a letter of their own."""


@dataclass(frozen=True)
class Task:
    """Something to do: for whom, why, and where they are listed."""

    who: str
    why: str
    link: str
    sales: Decimal
    """What they bought, by which the most valuable come first."""


def show(view: View) -> Shown:
    """Key figures against last month and last year, sales by month, what to do, and the segments."""
    months = view.matched(_months_query(view.filters), as_of=_last_month(view))
    groups = view.matched("groups", worth=WORTH)
    now = _at_the_end(view)
    who = "the customers whom the filters pick, guests left out" if view.filters.names_customers else "guests included"
    sales = sales_by_month(view, months, path="/", who=who, height=_TALL)
    sizes = _sizes(view, groups)
    return Shown(
        "How are we doing, and what needs doing this week?",
        {
            "numbers": _numbers(view, months, groups),
            "sales": sales,
            "tasks": _tasks(now, groups if now is view else now.matched("groups", worth=WORTH)),
            "tasks_end": now.end() if now is view else f"{now.end()}, the end of the data",
            "sizes": sizes,
        },
        {"sales": sales, "segments": sizes},
        picked=sum(row["customers"] for row in groups),
    )


def _months_query(filters: Filters) -> str:
    """The cheapest that knows whom the filters leave out. Without any filter, guests are counted, too."""
    if not filters.names_customers:
        return "months"
    return "months_of_cohorts" if filters.picks_cohorts else "months_of_matched"


def _last_month(view: View) -> date:
    """The month that is looked at, or the one that has begun since, which is shown as such."""
    following = month_before(view.as_of, -1)
    known = view.choices.months.get(following)
    return following if known and known.is_partial else view.as_of


def _numbers(view: View, months: Sequence[Row], groups: Sequence[Row]) -> list[Number]:
    by_month = {row["invoice_month"]: row for row in months}
    now = by_month.get(view.as_of)

    def number(label: str, column: str, shown: Kind, compare: str = "", counts: str = "active") -> Number:
        value = now[column] if now else None
        if now and now["is_partial"]:
            last = wording.month(view.as_of)
            return Number(label, written(value, shown), [f"{last} is not over: nothing compares with it yet"])
        others = [month_before(view.as_of, back) for back in (1, 12)]
        begins = min(view.choices.months)  # when everybody seems new
        compare = compare or column
        remarks = [
            compared(
                now[compare] if now else None,
                row[compare] if row and not row["is_partial"] else None,
                than=wording.month(other),
                customers=min(found[counts] if found else 0 for found in (now, row)),
            )
            for other in others
            for row in [by_month.get(other) if column != "new" or other > begins else None]
        ]
        compared_months = [row for row in [now, *map(by_month.get, others)] if row]
        if any(row[compare] != row[column] for row in compared_months):
            once = f": {written(now[compare], shown)}" if now and now[compare] != now[column] else ""
            remarks.append(f"compared with doubled invoices counted once{once}")
        return Number(label, written(value, shown), remarks)

    customers = sum(row["customers"] for row in groups)
    monetary = sum((row["monetary"] for row in groups), Decimal(0))
    best = [row for row in groups if row["segment"] in BEST]
    of_customers = share(sum(row["customers"] for row in best), customers, customers=customers, digits=0)
    of_sales = share(sum(row["monetary"] for row in best), monetary, customers=customers, digits=0)
    return [
        number(f"Net sales, {view.month()}", "sales", "whole_pounds", "sales_once"),
        number("Orders placed", "placed_orders", "count"),
        number("Active customers", "active", "count"),
        number("New customers", "new", "count", counts="new"),
        Number(
            "Champions and Loyal Customers",
            f"{of_sales} of sales" if customers >= FEWEST else of_sales,
            [f"{of_customers} of {wording.counted(customers, 'customer')}", "all sales so far, before returns"],
            view.link_list(segments=BEST) if best else "",
        ),
    ]


def _at_the_end(view: View) -> View:
    """The same at the end of the data, unless an earlier month is chosen: who has ordered since is not to be called."""
    latest = view.choices.latest
    if view.filters.as_of or view.as_of == latest:
        return view
    return replace(view, filters=replace(view.filters, as_of=latest))


def _tasks(view: View, groups: Sequence[Row]) -> list[Task]:
    """What to do, the most valuable first. A task that concerns nobody is left out."""

    def advice(segment: str) -> str:
        known = view.choices.segments.get(segment)
        return known.strategy if known else ""

    def task(rows: Sequence[Row], noun: str, what: str, why: str, of: str = "", **picks: Any) -> Task | None:
        number = sum(row[f"{of}customers"] for row in rows)
        sales = sum((row[f"{of}monetary"] or Decimal(0) for row in rows), Decimal(0))
        who = f"{wording.counted(number, noun)} {what}"
        why = f"{written(sales, 'whole_pounds')} of sales before returns{why}"
        return Task(who, why, view.link_list(**picks), sales) if number else None

    slipped = [row for row in groups if row["segment_before"] in BEST and row["segment"] in GONE]
    now = " or ".join(sorted({row["segment"] for row in slipped}))
    tasks = (
        task(
            [row for row in groups if row["segment"] == LOST],
            "customer",
            "we cannot lose",
            f" until they stopped. {advice(LOST)}",
            segments=(LOST,),
        ),
        task(
            slipped,
            "good customer",
            "slipped away",
            f". Champions or Loyal Customers in {view.moment(view.month_before)}, now {now}.",
            segments=tuple(sorted(GONE)),
            came_from=BEST,
        ),
        task(
            [row for row in groups if row["segment"] == "At Risk"],
            "customer",
            "at risk",
            f", £{WORTH:,} or more from each. {advice('At Risk')}",
            "worth_",
            segments=("At Risk",),
            spent_from=WORTH,
        ),
        task(
            [row for row in groups if row["segment"] in FRESH],
            "newcomer",
            "to win",
            f" so far. {advice('Promising')}",
            segments=FRESH,
        ),
    )
    return sorted((found for found in tasks if found), key=lambda found: -found.sales)


def _sizes(view: View, groups: Sequence[Row]) -> Figure:
    totals = {name: (0, Decimal(0)) for name in view.choices.segments}
    for row in groups:
        count, money = totals[row["segment"]]
        totals[row["segment"]] = (count + row["customers"], money + row["monetary"])
    customers = sum(count for count, _ in totals.values())
    monetary = sum((money for _, money in totals.values()), Decimal(0))
    once = sum((row["monetary_once"] for row in groups), Decimal(0))
    most, richest = max(count for count, _ in totals.values()), max(money for _, money in totals.values())
    rows = [
        (
            Link(name, view.link_segment(name)),
            Bar.of(count, most, colour(view, name)),
            or_few(count / customers * 100 if customers else None, customers),
            Bar.of(money, richest, colour(view, name)),
            or_few(float(money / monetary * 100) if monetary else None, customers),
        )
        for name in view.segments
        for count, money in [totals[name]]
    ]
    table = Table(
        (
            Column("segment", "Segment"),
            Column("customers", "Customers", "count"),
            Column("customers_pct", "Of customers", "percent"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
            Column("sales_pct", "Of sales", "percent"),
        ),
        rows,
    )
    note = (
        f"As of {view.end()}, relative to the other customers of that time. Sales: all that these "
        f"customers bought until then, before returns, guests left out.{held_twice(monetary, once)}"
    )
    return Figure("segments", "Who are our customers, and who brings the sales?", table, note=note)


PAGE = Page(
    "/",
    "overview.html",
    (
        *("monthly_metrics", "user_activity", "rfm_history", "customer_profile", "customer_groups"),
        *("customer_months", "cohort_months"),
    ),
    show,
    label="Overview",
)
