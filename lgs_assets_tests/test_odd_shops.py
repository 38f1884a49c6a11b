"""Shops with too little of something: all of the lineage copes, with few rows or none, and says why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from matplotlib.text import Text

from lgs_assets.charts import style
from lgs_assets.charts.report import families, figure_of
from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.loading import forget_dump
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import TABLES, Line, MakeDatabase, build_tables, load_lines

NO_PAIRS = {"product_pairs": "No two products share as many baskets as LGS_PAIR_SUPPORT asks for"}
NO_STEP = {"segment_migration_month": "There are no two month ends yet", "segment_sizes_over_time": "no two month ends"}
NO_COMPARISON = {"sales_changes": "No month has a month before it, or the same month of the year before"}
NO_TREND = {"sales_trend": "The trend of sales cannot be judged: needs 24 whole months; there are"}
NO_CUSTOMER = {
    "rfm_distributions": "No known customer has bought anything yet.",
    "segment_migration_month": "There are no two month ends yet",
    "cohort_triangle": "No known customer has bought anything yet.",
}


@dataclass(frozen=True)
class Shop:
    """A shop and what is known of it."""

    lines: list[Line]
    rows: dict[str, int]
    """The number of rows of some tables."""
    told: dict[str, str] = field(default_factory=lambda: NO_PAIRS | NO_TREND)
    """What is said on some of its charts, by their names."""
    settings: dict[str, Any] = field(default_factory=dict)
    fails: tuple[str, ...] = ()
    """The checks that find something wrong with it, and should."""


NOBODY = dict.fromkeys(
    ("rfm_history", "rfm_edges", "segments", "segment_migrations", "cohort_retention", "second_purchases"), 0
)
ALONE = {"rfm_history": 1, "segments": 1, "segment_migrations": 0, "cohort_retention": 1, "customer_flow": 1}
UNRELATED = {"sales_drivers": 0, "customer_gain_loss": 0, "product_movers": 0, "seasonality": 0, "product_pairs": 0}
GAP = ("monthly_metrics.no_month_missing",)
MONTHLY = [Line(f"{month}", invoice_date=f"2011-0{month}-10 10:00") for month in range(1, 5)]
JUNE = "2011-06-10 10:00"

SHOPS = {
    "no line": Shop(
        [],
        NOBODY | UNRELATED | {"products": 0, "customer_flow": 0, "trend_statistics": 0},
        dict.fromkeys(NO_PAIRS | NO_STEP | NO_TREND, "No data yet."),
    ),
    "one line": Shop(
        [Line()], ALONE | UNRELATED | {"products": 1, "countries": 1}, NO_PAIRS | NO_STEP | NO_COMPARISON | NO_TREND
    ),
    "one month": Shop(
        [
            Line(f"{day}", ["22041", "85123A"][day % 2], invoice_date=f"2011-03-{day:02}", customer_id=100 + day % 5)
            for day in range(1, 32)
        ],
        UNRELATED | {"rfm_history": 5, "segment_migrations": 0, "cohort_retention": 1, "product_months": 2},
        NO_PAIRS | NO_STEP | NO_COMPARISON | NO_TREND,
    ),
    "one customer": Shop(MONTHLY, {"rfm_history": 4, "cohort_retention": 4, "customer_flow": 4, "sales_drivers": 3}),
    "only cancellations": Shop(
        [Line("C1", quantity=-1)], NOBODY | UNRELATED | {"returns": 1, "customer_flow": 1}, NO_PAIRS | NO_CUSTOMER
    ),
    "only guests": Shop(
        [Line(customer_id=None), Line("2", customer_id=None, invoice_date="2011-04-10")],
        NOBODY | {"products": 1, "customer_flow": 2, "customer_gain_loss": 1},
        NO_PAIRS | NO_CUSTOMER | {"monthly_active_users": "No invoice is of a known customer yet."},
    ),
    "only charges": Shop(
        [Line(stock_code="POST")],
        ALONE | UNRELATED | {"products": 0, "charges": 1},
        {"product_pareto": "No line is of a product yet: there are charges only."},
    ),
    "months without sales": Shop(
        [Line("1"), Line("2", invoice_date=JUNE)],
        {"rfm_history": 4, "monthly_metrics": 2, "customer_flow": 4, "cohort_retention": 4, "sales_drivers": 0},
        NO_PAIRS | NO_COMPARISON,
        fails=GAP,
    ),
    "a first month that is partial": Shop(
        [
            Line(f"{month}-{day}", customer_id=100 + day, invoice_date=f"2011-0{month}-{day:02} 10:00")
            for month in (1, 2, 3)
            for day in range(1, 29)
            if month > 1 or day > 20
        ],
        {"customer_flow": 3, "sales_drivers": 2, "cohort_retention": 5},
    ),
    "a customer in two countries": Shop(
        [Line("1"), Line("2", country="France", unit_price="3")],
        {"countries": 2, "customer_profile": 1, "segment_month_country": 2},
    ),
    "a product renamed": Shop(
        [Line("1", description="OLD"), Line("2", description="NEW"), Line("3", description=None)],
        {"products": 1, "product_months": 1},
    ),
    "a snapshot within a month": Shop(
        MONTHLY, {"rfm_history": 4, "segment_migrations": 4}, settings={"snapshot_date": "2011-04-20"}
    ),
}


@pytest.fixture(scope="module")
def warehouse(make_database: MakeDatabase) -> Iterator[Warehouse]:
    """One for all of them: each shop takes the place of the one before."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    yield warehouse
    warehouse.engine.dispose()


@pytest.mark.parametrize("name", SHOPS)
def test_an_odd_shop_has_every_table_check_and_chart(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    """Tables are small or empty, no check finds more than it should, and a chart without enough data says so."""
    shop, tables = SHOPS[name], PostgresTables(warehouse)
    for dump in loaded_dumps(warehouse):
        forget_dump(warehouse, dump.dump)
    if shop.lines:
        load_lines(warehouse, tmp_path, shop.lines)
    build_tables(warehouse, **shop.settings)
    found = {table: warehouse.rows(f"select count(*) as rows from {table}")[0].rows for table in {*shop.rows, *TABLES}}
    assert {table: found[table] for table in shop.rows} == shop.rows
    assert warehouse.rows("select series from trend_statistics where reason is null") == []
    of_tables = [check for check in CHECKS if check.table in TABLES]
    results = {f"{check.table}.{check.name}": evaluate(check, tables) for check in of_tables}
    failed = [at for at, result in results.items() if not result.passed]
    assert [at for at in failed if results[at].severity == dg.AssetCheckSeverity.ERROR] == list(shop.fails)
    said = written(tables)
    assert {chart: said[chart] for chart, reason in shop.told.items() if reason not in said[chart]} == {}


def written(tables: PostgresTables) -> dict[str, str]:
    """What each chart of the report says, by its name."""
    texts = {}
    with style.style():
        for family in families():
            frames = {table: tables.read_frame(table, list(columns)) for table, columns in family.reads.items()}
            for chart in family.charts:
                figure = figure_of(chart, frames)
                found = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
                texts[chart.name] = " ".join(" ".join(found).split())
                figure.clear()
    return texts
