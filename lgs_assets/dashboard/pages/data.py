"""Can I trust this? What is loaded and built, what must hold of it, what each number means, and the settings."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Final

from lgs_assets import places
from lgs_assets.charts import wording
from lgs_assets.configuration import as_written
from lgs_assets.dashboard.content import Column, Table
from lgs_assets.dashboard.pages.page import Page, Shown, View

DEFINITIONS: Final = (
    ("Net sales", "The sum of all invoice lines of a month, returns and refunds taken off, guests included."),
    ("Sales before returns", "What a customer bought: lines with a quantity and an amount above zero, a customer and a description. Returns are not taken off. Scores and segments are made of these."),
    ("Net of returns, to date", "The sum of all lines of a customer up to the end of the data, returns taken off."),
    ("Orders placed", "Invoices less two for each cancellation: a cancellation is an invoice of its own that takes back another."),
    ("Active customers", "Customers with at least one invoice line in the month."),
    ("New customers", "Active customers whose first invoice line is in the month. At the beginning of the data everybody seems new."),
    ("As of", "The end of a month. Nothing that happened later is in a figure as of then."),
    ("Recency, frequency, sales (R, F, M)", "Days since the last order, number of orders, and sales before returns, each divided into five equal groups of customers: 5 is the best fifth. Scores are relative to the other customers of that time."),
    ("Segment", "One of ten groups, by R and F alone. The page Segments shows which scores make which segment."),
    ("Partial month", "A month that the data does not fill, by the days on which the shop usually has invoices. It is hatched or drawn as a ring, and nothing is compared with it."),
    ("Doubled invoices", "Invoices that a dump holds twice as a whole. The published figures count them twice; comparisons over time count them once, and the page says where."),
    ("Retention", "Of the customers who first ordered in a month, the share that ordered again in a given later month."),
    ("Typical", "The median: half of the customers have less, half have more."),
    ("Too few to say", "Fewer than 30 customers: a share or a median would say more about chance than about them."),
    ("Country", "Of a customer: the one with most of their sales. Of sales by country: the one on the invoice."),
    ("Lift", "How many times more often two products are bought together than if they had nothing to do with each other."),
)  # fmt: skip
"""What each number means, in plain words."""


def show(view: View) -> Shown:
    """The dumps, the tables with their checks, the settings and the definitions."""
    built = view.warehouse.tables
    checks = _checks()
    tables = Table(
        (Column("table", "Table"), Column("rows", "Rows", "count"), Column("built", "Built", "moment"), Column("checks", "Checks", "count")),
        [(name, table.rows, table.built, sum(check[0] == name for check in checks)) for name, table in sorted(built.items())],
        "Tables",
    )  # fmt: skip
    dumps = Table(
        (Column("dump", "Dump"), Column("lines", "Lines", "count"), Column("rejected", "Rejected", "count"), Column("first", "From"), Column("last", "To")),
        [(d["dump"], d["lines"], d["rejected"], d["first_invoice_at"][:16].replace("T", " "), d["last_invoice_at"][:16].replace("T", " "))
         for d in view.warehouse.dumps],
        "Dumps",
    )  # fmt: skip
    listed = Table(
        (Column("table", "Table"), Column("rule", "Must hold"), Column("degree", "If not")),
        [check for check in checks if check[0] in built or check[0] == "raw_invoices"],
        "Checks",
    )
    settings = {name: as_written(value) for table in built.values() for name, value in table.settings.items()}
    return Shown(
        "Can I trust this?",
        {"tables": tables, "dumps": dumps, "checks": listed, "settings": settings, "definitions": DEFINITIONS,
         "segments": view.choices.segments.values(), "doubled": _doubled(view)},
        {"tables": tables, "checks": listed, "dumps": dumps},
    )  # fmt: skip


def _doubled(view: View) -> list[str]:
    return [
        f"{wording.month(month.month)}: {wording.counted(month.doubled, 'invoice')} held twice; "
        f"{wording.pounds(float(month.sales))} net, {wording.pounds(float(month.sales_once))} counted once"
        for month in view.choices.months.values()
        if month.doubled and month.sales != month.sales_once
    ]


def _checks() -> list[tuple[str, str, str]]:
    """Table, what must hold, and the degree of each check, from the heads of their files."""
    found = []
    for file in sorted(Path(places.SQL / "checks").glob("*/*.sql")):
        head = [
            line.removeprefix("--").strip()
            for line in takewhile(lambda line: line.startswith("--"), file.read_text().splitlines())
        ]
        found.append((file.parent.name, " ".join(head[:-1]), head[-1]))
    return found


PAGE = Page(
    "/data", "data.html", (), show, label="Data & method",
    honours=frozenset(), refusal="The page is of the tables as they are.",
)  # fmt: skip
