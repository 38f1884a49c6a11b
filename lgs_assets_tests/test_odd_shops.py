"""Shops with too little of something: every table, check and chart of the lineage copes, or gives the reason."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.charts import style
from lgs_assets.charts.report import families, figure_of
from lgs_assets.checks.sql_checks import CHECKS, evaluate
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.loading import forget_dump
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import TABLES, Line, MakeDatabase, build_tables, load_lines, values

JANUARY, MARCH, JUNE = (f"2011-{month}-10 10:00" for month in ("01", "03", "06"))
MONTHLY = [Line(f"{month}", invoice_date=f"2011-0{month}-10 10:00") for month in range(1, 5)]

NOTHING_SOLD = {
    "rfm_history": [], "segment_migrations": [], "segments": [], "cohort_retention": [], "second_purchases": [],
    "customer_profile": [], "product_pairs": [], "sales_drivers": [],
}  # fmt: skip

# Of each shop: its lines, settings, and some tables by their columns.
SHOPS: dict[str, tuple[list[Line], dict[str, Any], dict[str, list[tuple[Any, ...]]]]] = {
    "no line": ([], {}, NOTHING_SOLD | {"products": [], "customer_flow": [], "countries": []}),
    "one line": (
        [Line()],
        {},
        {"rfm_history": [(1,)]},
    ),
}


@pytest.fixture(scope="module")
def shop(make_database: MakeDatabase) -> Iterator[Warehouse]:
    """One warehouse for all: each shop takes the place of the one before."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    yield warehouse
    warehouse.engine.dispose()
