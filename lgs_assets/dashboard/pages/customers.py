"""Find a customer, or make a list of them; one customer's story; one invoice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import quote

from lgs_assets import wording
from lgs_assets.dashboard.content import Column, Figure, Link, Number, Table, written
from lgs_assets.dashboard.draft import draft
from lgs_assets.dashboard.figures.timeline import Event, Stretch, timeline
from lgs_assets.dashboard.pages.page import Files, NothingThereError, Page, Shown, View
from lgs_assets.dashboard.pages.parts import NOT_OVER, colour, customer_list, paged
from lgs_assets.dashboard.pages.predictions import CARDS, PREDICTIONS, expectations
from lgs_assets.dashboard.queries import Row, month_ending_at

_LARGEST_ID = 2**31 - 1
_RULE = "a plain rule predicts it, which was no worse than the model on past days"
_EXPECTED = (*PREDICTIONS, "slipping", *CARDS)


def show_list(view: View) -> Shown:
    """The customers whom the filters pick, a page at a time, and a file of them all."""
    table, summary = customer_list(view, path="/customers")
    return Shown(
        "Which customers are you looking for?",
        {
            "customers": table,
            "summary": summary,
            "draft": draft(view.filters),
            "is_now": view.as_of == view.choices.latest,
        },
        {"customers": table},
        picked=None if summary["is_beyond"] else summary["count"],
    )


def show_one(view: View) -> Shown:
    """One customer: segment over time, orders, products."""
    number = int(view.item) if view.item.isascii() and view.item.isdecimal() and len(view.item) < 12 else 0
    is_expected = view.reading.tables.issuperset(_EXPECTED)
    query = "customer_expected" if is_expected else "customer"
    profile = view.rows(query, customer_id=number) if 0 < number <= _LARGEST_ID else []
    if not profile:
        raise NothingThereError(f"There is no customer {view.item} with a purchase.")
    history = view.rows("customer_history", customer_id=number)
    orders = view.rows("customer_orders", customer_id=number)
    products = view.rows("customer_products", customer_id=number)
    listed, summary = paged(view, orders, f"/customers/{number}")
    files: Files = {
        "timeline": _timeline(view, history, orders),
        "orders": _orders(view, listed),
        "products": _products(products),
    }
    return Shown(
        f"Customer {number}",
        {
            "customer": profile[0],
            "numbers": _numbers(view, profile[0], history),
            "now": history[-1] if history else None,
            "since": _since(view, history),
            "twice": _twice(profile[0], orders),
            "expected": _expected(profile[0]) if is_expected else [],
            "expectations": expectations(view.reading) if is_expected else "",
            "summary": summary,
            **files,
        },
        files,
    )


def show_invoice(view: View) -> Shown:
    """The lines of one invoice."""
    lines = view.rows("invoice", invoice_no=view.item)
    if not lines:
        raise NothingThereError(f"There is no invoice {view.item}.")
    listed, summary = paged(view, lines, f"/invoices/{quote(view.item, safe='')}")
    table = Table.of(
        (
            Column("line", "Line", "count"),
            Column("stock_code", "Code"),
            Column("description", "Description"),
            Column("quantity", "Quantity", "count"),
            Column("unit_price", "Unit price", "pounds"),
            Column("line_total", "Line total", "pounds"),
            Column("remark", "Remark"),
        ),
        ({**row, "line": row["line_number"], "remark": _remark(row)} for row in listed),
    )
    return Shown(
        f"Invoice {view.item}",
        {
            "lines": table,
            "summary": summary,
            "first": lines[0],
            "total": sum(row["line_total"] for row in lines),
            "once": sum(row["line_total"] for row in lines if not row["is_second_copy"]),
            "customers": sorted({row["customer_id"] for row in lines if row["customer_id"]}),
            "doubled": sum(row["is_second_copy"] for row in lines),
        },
        {"lines": table},
    )


def _remark(row: Row) -> str:
    if row["is_second_copy"]:
        return "second copy"
    if row["is_sale"] or row["is_cancellation"] or row["customer_id"] is None:
        return ""
    return "no sale: a charge, a gift or an adjustment"


def _twice(profile: Row, orders: Sequence[Row]) -> str:
    """What all sums of a customer would be, were each invoice counted once; nothing if none is held twice."""
    doubled = [row for row in orders if row["is_doubled"]]
    if not doubled:
        return ""
    sales = profile["sales"] - sum(row["sales_twice"] for row in doubled)
    net = profile["net_revenue"] - sum(row["twice"] for row in doubled)
    return (
        f"The data holds {wording.counted(len(doubled), 'invoice')} of this customer twice, and every sum on this page "
        f"counts {'it' if len(doubled) == 1 else 'them'} twice. Counted once, sales come to {written(sales, 'pounds')} "
        f"before returns, and {written(net, 'pounds')} net of them."
    )


def _since(view: View, history: Sequence[Row]) -> str:
    if not history:
        return ""
    return view.moment(month_ending_at(history[-1]["segment_since"]))


def _numbers(view: View, profile: Row, history: Sequence[Row]) -> list[Number]:
    gap = profile["typical_gap_days"]
    return [
        Number("Orders", wording.count(profile["orders"]), [f"on {wording.counted(profile['purchase_days'], 'day')}"]),
        Number(
            "Sales before returns",
            written(profile["sales"], "pounds"),
            [f"typical order {written(profile['typical_order'], 'pounds')}"],
        ),
        Number(
            "Net of returns",
            written(profile["net_revenue"], "pounds"),
            [f"kept {written(profile['kept_pct'], 'percent')}"],
        ),
        Number(
            "Last order",
            wording.day(profile["last_sale_at"]),
            [f"usually every {wording.decimal(float(gap))} days" if gap else "one purchase day only"],
        ),
    ]


def _expected(row: Row) -> list[tuple[str, str]]:
    """What is predicted of the customer, each with its name; nothing where nothing is."""
    if row["expected_sales"] is None:
        return []
    ends = [written(row[end], "whole_pounds") for end in ("sales_low", "sales_high") if row[end] is not None]
    interval = f"80 % interval: {' to '.join(ends)}" if ends else f"no interval: {_RULE}"
    found = [("Sales in 182 days", f"{written(row['expected_sales'], 'whole_pounds')}, before returns ({interval})")]
    if row["risk_rank"] is None:
        return [*found, ("Risk of no order in 90 days", "not told: no order in the year before")]
    place = f"no. {wording.count(row['risk_rank'])} of {wording.count(row['ranked'])} by risk, {row['band']}"
    chance = f"{wording.percent(row['probability'] * 100, 0)}; " if row["is_calibrated"] else ""
    found.append(("Risk of no order in 90 days", chance + place))
    day = wording.day(row["observed_until"])
    if row["reasons"]:
        found.append((f"Why, on {day}", row["reasons"]))
    late = row["days_late"]
    if late is None:
        found.append(("Next order due", "not told: one purchase day only, so there is no usual gap"))
    else:
        when = f"{wording.counted(late, 'day')} late" if late > 0 else f"{wording.counted(-late, 'day')} to go"
        found.append(("Next order due", f"{wording.day(row['expected_next_day'])}: {when} on {day}"))
    if row["days_to_edge"] is not None:
        left, edge = (wording.counted(row[name], "day") for name in ("days_to_edge", "edge_days"))
        found.append((
            "Days to the edge",
            f"{left} without an order, from {wording.day(row['edge_from'])} on, until the customer slips out of the "
            f"good segments, whose edge is {edge}",
        ))  # fmt: skip
    return found


def _timeline(view: View, history: Sequence[Row], orders: Sequence[Row]) -> Figure:
    places = {name: segment.position for name, segment in view.choices.segments.items()}
    stretches = [
        Stretch(view.choices.last_day([*rows][-1]["snapshot_date"]), name, colour(view, name), places[name])
        for name, rows in groupby(history, key=lambda row: row["segment"])
    ]
    events = [
        Event(
            row["at"],
            float(row["amount"]),
            f"{wording.day(row['at'])}, invoice {row['invoice_no']}: {written(row['amount'], 'pounds')}",
            _invoice(view, row),
        )
        for row in orders
    ]
    table = Table(
        (
            Column("month", "End of", "month"),
            NOT_OVER,
            Column("segment", "Segment"),
            Column("r", "R", "count"),
            Column("f", "F", "count"),
            Column("m", "M", "count"),
            Column("orders", "Orders", "count"),
            Column("sales_before_returns", "Sales before returns", "pounds"),
        ),
        [
            (
                *(month, view.not_over(month), row["segment"]),
                *(row["r_score"], row["f_score"], row["m_score"], row["frequency"], row["monetary"]),
            )
            for row in history
            for month in [month_ending_at(row["snapshot_date"])]
        ],
    )
    label = (
        "The customer's orders over time, upwards, cancellations downwards, above a strip of the segment of each month."
    )
    return Figure(
        "timeline",
        "When and how much did they order, and in which segment were they?",
        table,
        timeline(label, stretches, events) if history and orders else None,
        key=[(f"{places[name]} {name}", colour(view, name)) for name in dict.fromkeys(s.name for s in stretches)],
        note="Height: what the invoice comes to, on a square-root scale. Orange, downwards: cancellations.",
    )


def _invoice(view: View, row: Row) -> str:
    return view.link(f"/invoices/{quote(row['invoice_no'], safe='')}")


def _orders(view: View, rows: Sequence[Row]) -> Table:
    return Table.of(
        (
            Column("invoice", "Invoice"),
            Column("date", "Date", "day"),
            Column("kind", "Kind"),
            Column("lines", "Lines", "count"),
            Column("amount", "Amount", "pounds"),
        ),
        (
            {**row, "invoice": Link(row["invoice_no"], _invoice(view, row)), "date": row["at"], "kind": _kind(row)}
            for row in rows
        ),
        "Invoices",
    )


def _kind(row: Row) -> str:
    if row["is_cancellation"]:
        return "cancellation"
    return "order, held twice" if row["is_doubled"] else "order"


def _products(rows: Sequence[Row]) -> Table:
    return Table(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            Column("orders", "Orders", "count"),
            Column("units", "Units", "count"),
            Column("sales_before_returns", "Sales before returns", "pounds"),
        ),
        [(row["code"], row["description"], row["orders"], row["units"], row["sales"]) for row in rows],
        "Products",
    )


LIST = Page(
    "/customers",
    "customers.html",
    ("rfm_history", "customer_profile", "customer_groups", "audience_members"),
    show_list,
    label="Customers",
    wished=(*PREDICTIONS, *CARDS),
)
ONE = Page(
    "/customers/{item}",
    "customer.html",
    (
        *("rfm_history", "customer_profile", "invoice_totals", "clean_invoices", "stock_codes", "products"),
        "audience_members",
    ),
    show_one,
    wished=_EXPECTED,
    honours=frozenset(),
    refusal="The page is of one customer, over all time.",
)
INVOICE = Page(
    "/invoices/{item}",
    "invoice.html",
    ("clean_invoices",),
    show_invoice,
    honours=frozenset(),
    refusal="The page is of one invoice.",
)
