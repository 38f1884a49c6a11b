"""Parts that several pages share: months as columns, lists of customers, moves between segments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from lgs_assets.charts import wording
from lgs_assets.dashboard.content import FEW, FEWEST, Column, Few, Figure, Link, Table, written
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.shapes import RAMP
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.queries import PAGE_SIZE, Row

CUSTOMERS: Final = (
    Column("customer_id", "Customer", "text", "customer_id"),
    Column("country", "Country", "text", "country"),
    Column("segment", "Segment", "text", "segment"),
    Column("segment_before", "Before", "text", "segment_before"),
    Column("recency_days", "Days since last order", "count", "recency_days"),
    Column("frequency", "Orders", "count", "frequency"),
    Column("monetary", "Sales before returns", "pounds", "monetary"),
    Column("net_revenue", "Net of returns, to date", "pounds", "net_revenue"),
    Column("typical_order", "Typical order", "pounds", "typical_order"),
    Column("first_sale_at", "First order", "day", "first_sale_at"),
    Column("last_invoice_at", "Last order", "day", "last_invoice_at"),
)
"""A list of customers, as it is shown and as it is taken away."""
FIRST: Final = "First order since"
"""What a move from NOT_YET is called."""
_NOTICEABLE: Final = Decimal("0.01")


def tick(month: date, place: int, count: int) -> str:
    """The label of a month below a figure, or none: as many as there is room for."""
    if count <= 6:
        return wording.month(month)
    if month.month == 1:
        return str(month.year)
    return wording.month_of_year(month) if month.month in (4, 7, 10) else ""


def sales_by_month(view: View, months: Sequence[Row], *, path: str, who: str) -> Figure:
    """Net sales of each month; what is held twice is the pale end of its column."""
    bars, rows = [], []
    for place, row in enumerate(months):
        month, sales, once = row["invoice_month"], row["sales"], row["sales_once"]
        href = view.filters.customers_only().url(path, as_of=month) if month in view.choices.snapshots else ""
        twice = sales - once
        said = f"{view.moment(month)}: {written(sales, 'whole_pounds')}"
        said += f", of it {written(twice, 'whole_pounds')} in invoices held twice" if twice else ""
        bars.append(
            drawn.Column(
                float(sales),
                tick(month, place, len(months)),
                said,
                href,
                pale=float(twice) if twice > sales * _NOTICEABLE and sales > 0 else 0,
                is_partial=row["is_partial"],
                is_chosen=month == view.as_of,
                mark=f"{wording.month_of_year(month)}: to {wording.day_of_year(row['last_invoice_at'])}"
                if row["is_partial"]
                else "",
            )
        )
        rows.append(
            (Link(month, href) if href else month, sales, once, row["placed_orders"], row["active"], row["new"])
        )
    table = Table(
        (
            Column("month", "Month", "month"),
            Column("net_sales", "Net sales", "pounds"),
            Column("net_sales_doubled_once", "Doubled invoices once", "pounds"),
            Column("orders_placed", "Orders placed", "count"),
            Column("active_customers", "Active customers", "count"),
            Column("new_customers", "New customers", "count"),
        ),
        rows,
    )
    label = f"Net sales of each month, {who}, as columns. The table below has the values."
    drawing = drawn.columns(label, bars, lambda value: wording.short_pounds(value, 3)) if bars else None
    return Figure("sales", "How much do we sell each month?", table, drawing, note=_months_note(months, who))


def _months_note(months: Sequence[Row], who: str) -> str:
    note = f"Net: every invoice line of the month, returns taken off; {who}. A click on a month looks at its end."
    held = [row for row in months if row["sales"] - row["sales_once"] > abs(row["sales"]) * _NOTICEABLE]
    for row in held[:2]:
        note += (
            f" {wording.month(row['invoice_month'])} holds {wording.counted(row['doubled_orders'], 'invoice')} twice "
            f"(pale): {written(row['sales_once'], 'pounds')} counted once."
        )
    return note


def customer_list(view: View, *, path: str, name: str = "customers") -> tuple[Table, dict[str, Any]]:
    """The customers whom the filters pick: a page of them, or all, and how many and how much they are."""
    filters = view.filters
    order = f"{filters.sort} {'asc' if filters.ascending else 'desc'} nulls last"
    limit = None if view.whole else PAGE_SIZE
    offset = 0 if view.whole else (filters.page - 1) * PAGE_SIZE
    found = view.reading.rows("list", order=order, limit=limit, offset=offset, **view.reading.parameters(filters))
    columns = tuple(column for column in CUSTOMERS if column.name in filters.columns or not filters.columns)
    rows = [
        [
            Link(row[column.name], view.link(f"/customers/{row['customer_id']}"))
            if column.name == "customer_id"
            else row[column.name]
            for column in columns
        ]
        for row in found
    ]
    count = found[0]["all_customers"] if found else 0
    summary = {
        "count": count,
        "monetary": found[0]["all_monetary"] if found else Decimal(0),
        "pages": max(-(-count // PAGE_SIZE), 1),
        "path": path,
        "name": name,
        "is_beyond": not found and filters.page > 1,
    }
    return Table(columns, rows, "Customers"), summary


def or_few(value: Any, customers: int) -> Any:
    """The value, or that there are too few customers for it."""
    return value if customers >= FEWEST else Few(FEW)


def colour(view: View, segment: str) -> str:
    """The colour of a segment: the darker, the better."""
    places = list(view.choices.segments)
    place = places.index(segment) if segment in places else len(places) - 1
    return RAMP[round(place * (len(RAMP) - 1) / max(len(places) - 1, 1))]


def shade(value: float, most: float) -> int:
    """0 to 9, for a value from 0 to the most."""
    return min(9, int(value / most * 9.999)) if most > 0 else 0
