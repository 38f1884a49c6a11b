"""Parts that several pages share: months as columns, lists of customers, the colours of segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.dashboard.content import FEW, FEWEST, Column, Few, Figure, Link, Table, written
from lgs_assets.dashboard.figures import columns as drawn
from lgs_assets.dashboard.figures.shapes import RAMP
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.pages.predictions import PREDICTIONS, expectations
from lgs_assets.dashboard.queries import PAGE_SIZE, Row

CUSTOMERS: Final = (
    Column("customer_id", "Customer", "text", "customer_id"),
    Column("country", "Country", "text", "country"),
    Column("segment", "Segment", "text", "segment"),
    Column("segment_before", "Before", "text", "segment_before"),
    Column("recency_days", "Days since last order", "count", "recency_days"),
    Column("frequency", "Orders", "count", "frequency"),
    Column("sales_before_returns", "Sales before returns", "pounds", "sales_before_returns"),
    Column("net_revenue", "Net of returns", "pounds", "net_revenue"),
    Column("typical_order", "Typical order", "pounds", "typical_order"),
    Column("first_sale_at", "First order", "day", "first_sale_at"),
    Column("last_invoice_at", "Last order", "day", "last_invoice_at"),
    Column("value", "Expected in 182 days", "pounds", "value"),
    Column("risk_band", "Risk", "text", "risk_band"),
    Column("expected_next_day", "Next order due", "day", "expected_next_day"),
)
"""The columns of a list of customers, on a page and in its downloads."""
EXPECTED: Final = ("value", "risk_band", "expected_next_day")
"""Those of them that are predictions, shown once these are built."""
BEST: Final = ("Champions", "Loyal Customers")
"""The segments whose customers nobody wants to lose."""
NOT_OVER: Final = Column("not_over", "Not over")
"""Beside a month: to which day it goes, where the data does not fill it."""
FIRST: Final = "First order since"
"""What a move from NOT_YET is called."""
_ORDERS: Final = {"risk_band": "risk_band_order"}
"""What a list is sorted by where that is not the column itself."""
_DO_NOT_CONTACT: Final = Column("do_not_contact", "Do not contact")
"""The reason. Shown, whatever columns are chosen, if anybody on the list must not be contacted."""
_TODAY: Final = ("country", "typical_order")
"""Columns that are as of the end of the data, which may be later than the others."""
_BY_MONTH: Final = ("sales", "sales_once", "placed_orders", "active", "new")
_NOTICEABLE: Final = Decimal("0.01")


def tick(month: date, place: int, count: int) -> str:
    """The label of a month below a figure; empty where there is no room."""
    if count <= 6:
        return wording.month(month)
    if month.month == 1:
        return str(month.year)
    return wording.month_of_year(month) if month.month in (4, 7, 10) else ""


def sales_by_month(view: View, months: Sequence[Row], *, path: str, who: str, height: float = 230) -> Figure:
    """Net sales of each month; what is held twice is the pale end of its column."""
    bars, rows = [], []
    for place, row in enumerate(months):
        month, sales, once = row["invoice_month"], row["sales"], row["sales_once"]
        href = view.filters.customers_only().url(path, as_of=month) if month in view.choices.snapshots else ""
        twice, not_over = sales - once, view.not_over(month)
        said = f"{view.month(month)}: {written(sales, 'whole_pounds')}"
        said += f", of it {written(twice, 'whole_pounds')} in invoices held twice" if twice else ""
        bars.append(
            drawn.Column(
                float(sales),
                tick(month, place, len(months)),
                said,
                href,
                pale=float(twice) if twice > sales * _NOTICEABLE and sales > 0 else 0,
                is_partial=bool(not_over),
                is_chosen=month == view.as_of,
                mark=f"{wording.month_of_year(month)}: {not_over}" if not_over else "",
            )
        )
        rows.append((Link(month, href) if href else month, not_over, *(row[name] for name in _BY_MONTH)))
    table = Table(
        (
            Column("month", "Month", "month"),
            NOT_OVER,
            Column("net_sales", "Net sales", "pounds"),
            Column("net_sales_doubled_once", "Doubled invoices once", "pounds"),
            Column("orders_placed", "Orders placed", "count"),
            Column("active_customers", "Active customers", "count"),
            Column("new_customers", "New customers", "count"),
        ),
        rows,
    )
    label = f"Net sales of each month, {who}, as columns. The table below has the values."
    drawing = drawn.columns(label, bars, lambda value: wording.short_pounds(value, 3), height=height) if bars else None
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


def customer_list(
    view: View, *, path: str, name: str = "customers", query: str = "", as_of: date | None = None, **parameters: Any
) -> tuple[Table, dict[str, Any]]:
    """The customers whom the filters pick: a page of them, or all, and how many and how much they are.

    Those of another `query` than that of all customers have what is expected of them in any case; `as_of` is when they
    are looked at, if not when the filters say. Who must not be contacted is marked.
    """
    filters = view.filters
    is_expected = bool(query) or view.reading.tables.issuperset(PREDICTIONS)
    is_end = (as_of or view.as_of) == view.choices.latest
    left_out = {*(() if is_expected else EXPECTED), *(() if is_end else ("net_revenue",))}
    shown = [column for column in CUSTOMERS if column.name not in left_out]
    columns = tuple([column for column in shown if column.name in filters.columns] or shown)
    sort = filters.sort if any(column.sort == filters.sort for column in shown) else Filters.sort
    order = f"{_ORDERS.get(sort, sort)} {'asc' if filters.ascending else 'desc'} nulls last"
    found = view.reading.rows(
        query or "list",
        order=order,
        is_expected=is_expected,
        limit=None if view.whole else PAGE_SIZE,
        offset=0 if view.whole else (filters.page - 1) * PAGE_SIZE,
        **view.reading.parameters(replace(filters, as_of=as_of) if as_of else filters),
        **parameters,
    )
    table = Table.of(
        columns, ({**row, "customer_id": view.link_customer(row["customer_id"])} for row in found), "Customers"
    )
    count = found[0]["all_customers"] if found else 0
    summary = {
        "count": count,
        "monetary": found[0]["all_monetary"] if found else Decimal(0),
        "pages": max(-(-count // PAGE_SIZE), 1),
        "filters": replace(filters, sort=sort),
        "offered": shown,
        "path": path,
        "name": name,
        "is_beyond": not found and filters.page > 1,
        "expectations": expectations(view.reading) if is_expected and {*EXPECTED} & {c.name for c in columns} else "",
        "today": _of_today(view, columns, as_of or view.as_of),
        "twice": held_twice(found[0]["all_monetary"], found[0]["all_monetary_once"]) if found else "",
    }
    return marked(table, found), summary


def paged(view: View, rows: Sequence[Row], path: str) -> tuple[Sequence[Row], dict[str, Any]]:
    """A page of many rows, or all of them for a file; and what its pager needs."""
    count, first = len(rows), (view.filters.page - 1) * PAGE_SIZE
    pages = max(-(-count // PAGE_SIZE), 1)
    summary = {"count": count, "pages": pages, "path": path, "is_beyond": view.filters.page > pages}
    return rows if view.whole else rows[first : first + PAGE_SIZE], summary


def _of_today(view: View, columns: Sequence[Column], as_of: date) -> str:
    """Which columns are not as of the month that is looked at, if it is not the last."""
    if as_of == view.choices.latest:
        return ""
    labels = [column.label for column in columns if column.name in _TODAY]
    day = wording.day(view.choices.until)
    said = f"As of {day}, whatever month is looked at: {', '.join(labels)}. " if labels else ""
    asked = {*view.filters.columns, view.filters.sort}
    return said + (net_of_today(view) if "net_revenue" in asked or not view.filters.columns else "")


def net_of_today(view: View) -> str:
    """What to say where the net of returns is left out, which beside sales of an earlier day would read as an error."""
    return f"Net of returns is shown as of {wording.day(view.choices.until)} only."


def held_twice(sales: Decimal, once: Decimal) -> str:
    """What to say below sales before returns that hold an invoice twice; nothing if they do not."""
    if sales == once:
        return ""
    return (
        f" Invoices held twice are counted twice; counted once, sales come to {written(once, 'pounds')} before returns."
    )


def marked(table: Table, found: Sequence[Row]) -> Table:
    """The table of these customers, with the reasons why some must not be contacted, if any must not."""
    if not any(row["do_not_contact"] for row in found):
        return table
    first, *others = table.columns
    rows = [
        (customer, row["do_not_contact"], *known) for (customer, *known), row in zip(table.rows, found, strict=True)
    ]
    return replace(table, columns=(first, _DO_NOT_CONTACT, *others), rows=rows)


def or_few(value: Any, customers: int, *, is_marked: bool = False) -> Any:
    """The value, or that there are too few customers for it."""
    return value if customers >= FEWEST else Few(FEW, is_marked)


def colour(view: View, segment: str) -> str:
    """The colour of a segment: the darker, the better."""
    places = list(view.choices.segments)
    place = places.index(segment) if segment in places else len(places) - 1
    return RAMP[round(place * (len(RAMP) - 1) / max(len(places) - 1, 1))]


def shade(value: float, most: float) -> int:
    """0 to 9, for a value from 0 to the most."""
    return min(9, int(value / most * 9.999)) if most > 0 else 0
