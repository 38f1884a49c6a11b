"""What sells, to whom, and where?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from lgs_assets import wording
from lgs_assets.dashboard.content import Bar, Column, Figure, Link, Shade, Table
from lgs_assets.dashboard.pages.page import Files, Page, Shown, View
from lgs_assets.dashboard.queries import Row
from lgs_assets.wording import HOW_TO_GIVE_COSTS, MOSTLY_ONE

_MARGIN: Final = (
    Column("margin", "Margin", "whole_pounds"),
    Column("known_pct", "Of sales with a known cost", "percent"),
)
_ABOUT_MARGIN: Final = (
    " Margin: product sales before returns less the unit cost valid on the day, of the sales whose cost is known."
)

_SHADED: Final = 3
"""The shade of a country that is mostly one customer: it stands out, and its number can be read."""

_RANGE: Final = ("new", "back", "left", "paused")
"""What became of a product in the range."""


def show(view: View) -> Shown:
    """The best products, what rises and falls, what is bought together, and the countries."""
    if view.filters.segments:
        best = view.rows("segment_products", as_of=view.as_of, segments=[*view.filters.segments])
    else:
        best = view.rows("best_products", as_of=view.as_of)
    movers = view.reading.once("movers", ("product_movers", "products"))
    pairs = view.reading.once("pairs", ("product_pairs", "products"))
    countries = view.rows("countries", as_of=view.as_of, countries=[*view.filters.countries] or None)
    earned = _earned(view, [*(row["code"] for row in best), *(row["country"] for row in countries)])
    files: Files = {
        "products": _best(view, best, earned),
        "rising": _movers(view, movers, is_gain=True),
        "falling": _movers(view, movers, is_gain=False),
        "pairs": _pairs(view, pairs),
        "countries": _countries(view, countries, earned),
    }
    return Shown("What sells, to whom, and where?", dict(files), files)


def _earned(view: View, members: Sequence[str]) -> dict[tuple[str, str], tuple[Decimal, float]]:
    """What each of the products and countries earned, and the share of its sales whose cost is known, in percent."""
    if "margins" not in view.reading.tables:
        return {}
    rows = view.rows("member_margins", as_of=view.as_of, members=members)
    return {(row["dimension"], row["member"]): (row["margin"], float(100 * row["known_share"])) for row in rows}


def _best(view: View, rows: Sequence[Row], earned: Mapping[tuple[str, str], tuple[Decimal, float]]) -> Figure:
    most = max((row["sales"] for row in rows), default=0)
    is_earned = bool(earned) and not view.filters.segments  # what a product earned is known of all its buyers together
    table = Table(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            Column("units", "Units", "count"),
            Column("sales_before_returns", "Sales before returns", "whole_pounds"),
            *(_MARGIN if is_earned else ()),
        ),
        [
            (
                *(row["code"], row["description"], row["units"]),
                Bar.of(row["sales"], most),
                *(earned.get(("product", row["code"]), (None, None)) if is_earned else ()),
            )
            for row in rows
        ],
    )
    who = (
        f"to {', '.join(view.filters.segments)} of today" if view.filters.segments else "to everybody, guests included"
    )
    note = f"Sales before returns in the twelve months to {view.moment()}, doubled invoices once, {who}."
    note += _ABOUT_MARGIN if is_earned else "" if earned else f" No unit costs: {HOW_TO_GIVE_COSTS}."
    note += view.unfollowed("as_of", "segment")
    return Figure("products", "What sells best?", table, note=note)


def _movers(view: View, rows: Sequence[Row], *, is_gain: bool) -> Figure:
    found = [row for row in rows if row["is_gain"] == is_gain]
    found = found if is_gain else found[::-1]
    moved = any(row["movement"] in _RANGE for row in found)
    table = Table.of(
        (
            Column("code", "Code"),
            Column("product", "Product"),
            Column("sales_year_before", "Year before", "whole_pounds"),
            Column("sales_before_returns", "Sales", "whole_pounds"),
            Column("change", "Change", "change_pounds"),
            *([Column("movement", "Range")] if moved else []),
        ),
        (
            {
                **row,
                "product": row["description"],
                "sales_year_before": row["sales_before"],
                "sales_before_returns": row["sales"],
                "change": row["sales_change"],
                "movement": row["movement"] if row["movement"] in _RANGE else "",
            }
            for row in found
        ),
    )
    note = view.unfollowed()
    if not rows:
        note = (
            "Nothing to compare: the last three whole months, and the same months of the year before, must all be "
            f"whole months with invoices.{note}"
        )
    elif found:
        months = wording.span(wording.month(found[0]["first_month"]), wording.month(found[0]["last_month"]))
        note = (
            f"Sales before returns, {months} against the same months of the year before, doubled invoices once.{note}"
        )
    return Figure(
        "rising" if is_gain else "falling",
        "What has grown most?" if is_gain else "What has fallen most?",
        table,
        note=note,
    )


def _pairs(view: View, rows: Sequence[Row]) -> Figure:
    table = Table(
        (
            Column("product", "Product"),
            Column("other", "Bought with"),
            Column("baskets", "Baskets", "count"),
            Column("confidence", "Of those with the first", "percent"),
            Column("confidence_back", "Of those with the other", "percent"),
            Column("lift", "Lift", "decimal"),
        ),
        [
            (
                row["description"] or row["code"],
                row["other_description"] or row["other_code"],
                row["baskets"],
                float(row["confidence"] * 100),
                float(row["confidence_back"] * 100),
                float(row["lift"]),
            )
            for row in rows
        ],
    )
    note = (
        "All invoices of the data. Lift: how many times more often together than by chance. "
        f"Show them side by side, or offer one with the other.{view.unfollowed()}"
    )
    return Figure("pairs", "What is bought together?", table, note=note)


def _countries(view: View, rows: Sequence[Row], earned: Mapping[tuple[str, str], tuple[Decimal, float]]) -> Figure:
    home = max(rows, key=lambda row: row["net_sales"])["country"] if rows else ""
    most = max((row["net_sales"] for row in rows if row["country"] != home), default=0)
    listed = []
    for row in rows:
        bar = Bar.of(row["net_sales"], most if row["country"] != home else 0)
        listed.append(
            (
                Link(row["country"], view.link("/customers", countries=(row["country"],))),
                row["customers"],
                row["orders"],
                bar,
                _largest(row["top_customer_share"]),
                *(earned.get(("country", row["country"]), (None, None)) if earned else ()),
            )
        )
    table = Table(
        (
            Column("country", "Country"),
            Column("customers", "Customers", "count"),
            Column("orders", "Orders", "count"),
            Column("net_sales", "Net sales", "whole_pounds"),
            Column("top_customer_pct", "Largest customer’s share", "percent"),
            *(_MARGIN if earned else ()),
        ),
        listed,
    )
    note = (
        f"The twelve months to {view.moment()}, doubled invoices once. {home or 'The home market'} has no bar: it "
        "would dwarf the others. Customers: those who bought in these months, by the country on the invoice; the list "
        "behind a name is of all whose country it is, by most of their sales. The largest customer’s share is of sales "
        "before returns to known customers; shaded from half on: what the country does is then what this "
        f"customer does.{_ABOUT_MARGIN if earned else ''}"
        f"{view.unfollowed('as_of', 'country')}"
    )
    return Figure("countries", "Where do we sell?", table, note=note)


def _largest(share: Decimal | None) -> Shade | float | None:
    """The share in percent, however few the customers are: it is a fact about all of them, not an estimate."""
    percentage = None if share is None else float(100 * share)
    return Shade(percentage, _SHADED) if share is not None and share >= MOSTLY_ONE else percentage


PAGE = Page(
    "/products-countries",
    "products.html",
    (
        "products",
        "product_months",
        "segment_products",
        "product_movers",
        "product_pairs",
        "invoice_totals",
        "country_months",
    ),
    show,
    label="Products & countries",
    wished=("margins",),
    honours=frozenset({"as_of", "segment", "country"}),
    refusal="Products are counted by segment, and countries by country; not by first order.",
)
