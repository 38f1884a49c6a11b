"""The proof on the real data: the published figures, to the last digit that they show.

Needs the UCI data and the reference figures beside it (see `real_data` in conftest.py); skips loudly without.
"""

import gzip
import json
import random
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from lgs_assets.contracts.declaration import declared_types
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.builders import FITTED, TABLES, MakeDatabase, build_tables, model, take_over_fitted, values

# Where a line stands in its dump, and when it came, are all that may differ, and which of an invoice's lines of one
# product a return takes back first: return_matches is left out.
NOT_COMPARED = {
    "raw_invoices": ["dump", "line_number"],
    "clean_invoices": ["invoice_no", "line_number"],
    "invoice_totals": ["dump"],
    "returnable_lines": ["line_number", "place"],
    "returns": [
        *("line_number", "match", "units_matched", "amount_matched", "sale_invoice_no", "sale_line_number"),
        *("sold_at", "days_after", "unmatched_reason"),
    ],
    "products": ["units_returned_matched", "returned_matched", "return_rate_sales_matched"],
}


@pytest.fixture(scope="module")
def facts(real_data: Path) -> dict[str, Decimal]:
    facts: dict[str, Decimal] = json.loads((real_data / "reference" / "facts.json").read_text(), parse_float=Decimal)
    return facts


def reference(real_data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(real_data / "reference" / name, dtype=str, keep_default_na=False)


def digits_shown(text: str) -> Decimal:
    return Decimal(1).scaleb(-len(text.partition(".")[2]))


def test_segments_are_the_published_ones(real: Warehouse, real_data: Path) -> None:
    """The ten rows of the published result, every digit of customers, means, sums and shares."""
    ours = {row.segment: row for row in real.rows("select * from segment_summary")}
    published = reference(real_data, "rfm_segments_published.csv")
    assert set(ours) == set(published.Segment)
    columns = {
        "customers": "customers", "recency_mean": "recency_mean", "frequency_mean": "frequency_mean",
        "monetary_mean": "monetary_mean", "monetary_sum": "revenue", "pct_customers": "customers_pct",
    }  # fmt: skip
    for row in published.itertuples():
        for theirs, column in columns.items():
            shown = str(getattr(row, theirs))
            value = Decimal(ours[str(row.Segment)][column]).quantize(digits_shown(shown))
            assert value == Decimal(shown), f"{row.Segment}: {column}"


def test_months_are_the_published_ones(real: Warehouse, real_data: Path) -> None:
    """All 25 months: orders and users exactly, sales to a tenth of a penny, growth to six places."""
    ours = real.rows(
        "select *, to_char(invoice_month, 'YYYYMM') as yyyymm "
        "from monthly_metrics join user_activity using (invoice_month) order by invoice_month"
    )
    months = reference(real_data, "monthly_template.csv")
    assert [row.yyyymm for row in ours] == months.yyyymm.tolist()
    counts = ["total_orders", "canceled_orders", "placed_orders", "active_users", "new_users", "existing_users"]
    for row, month in zip(ours, months.itertuples(), strict=True):
        assert [row[name] for name in counts] == [int(str(getattr(month, name))) for name in counts]
        assert row.sales == Decimal(str(month.sales)).quantize(Decimal("0.001"))  # the reference summed floats
        if month.sales_growth_pct:
            assert row.sales_growth_pct == Decimal(str(month.sales_growth_pct)).quantize(Decimal("0.000001"))
    assert [row.is_partial for row in ours] == [False] * 24 + [True]


def test_second_copies_are_the_ones_that_the_source_sheets_share(real: Warehouse) -> None:
    """Every invoice of 1 to 9 December 2010 and ten small ones, in figures that were found without this project."""
    (copies,) = real.rows(
        """
        select count(distinct invoice_no) as invoices, count(*) as lines, sum(line_total) as amount,
            count(*) filter (where is_sale) as sales, sum(line_total) filter (where is_sale) as sale_amount,
            count(distinct invoice_no) filter (where invoice_date between '2010-12-01' and '2010-12-10') as shared
        from clean_invoices where is_second_copy
        """
    )
    assert values(copies) == (1098, 22534, Decimal("377518.36"), 14507, Decimal("312020.20"), 1088)
    (december,) = real.rows("select * from monthly_metrics where invoice_month = '2010-12-01'")
    assert (december.doubled_orders, december.sales_once) == (1088, Decimal("748957.02"))
    totals = real.rows("select sum(second_copy_amount) as a, sum(second_copy_sale_amount) as b from invoice_totals")
    assert [values(row) for row in totals] == [(copies.amount, copies.sale_amount)]


@pytest.mark.parametrize(("edge", "kept"), [("begins", ">="), ("ends", "<=")])
def test_months_are_whole_or_partial_wherever_the_data_begins_or_ends(real: Warehouse, edge: str, kept: str) -> None:
    """Whole at the edges of the 24 whole months; partial wherever two days with invoices are beyond the edge."""
    select = model("monthly_metrics").select
    days = [row.day for row in real.rows("select distinct last_invoice_at::date as day from invoice_totals order by 1")]
    turns = [(before, after) for before, after in pairwise(days) if before.month != after.month]
    ends = [before for before, _ in turns]
    begins = [days[0], *(after for _, after in turns[:-1])]
    assert len(ends) == len(begins) == 24
    for day in sorted({*(begins if edge == "begins" else ends), *(day for day in days[::7] if day <= ends[-1])}):
        beyond = [other for other in days if (other < day if edge == "begins" else other > day)]
        missing = sum(other.replace(day=1) == day.replace(day=1) for other in beyond)
        if missing == 1:
            continue
        with real.transaction() as connection:
            connection.execute(
                sa.text(
                    "create temp table invoice_totals on commit drop as "
                    f"select * from invoice_totals where cast(last_invoice_at as date) {kept} :day"
                ),
                {"day": day},
            )
            found = f"select is_partial from ({select}) as months where invoice_month = :month"
            is_partial = connection.execute(sa.text(found), {"month": day.replace(day=1)}).scalar()
            assert is_partial == (missing > 0), day


def test_invoice_amounts_are_the_published_ones(real: Warehouse, real_data: Path) -> None:
    """Count, minimum, maximum, mean, median and mode of each population, and the 85th percentile."""
    published = reference(real_data, "invoice_amount_distribution.csv").set_index("basis")
    bases = {
        ("all", False): "all invoices (incl. cancellations, zero)",
        ("all", True): "all invoices, amount <= q85",
        ("positive", False): "invoices with amount > 0 (most notebooks)",
        ("positive", True): "invoices with amount > 0, amount <= q85 (most notebooks)",
    }
    columns = {"minimum": "min", "maximum": "max", "mean": "mean", "median": "median", "mode": "mode"}
    for row in real.rows("select * from invoice_amount_statistics"):
        theirs: Any = published.loc[bases[row.population, row.is_cut]]
        assert row.invoices == int(theirs.invoices)
        for ours, name in columns.items():
            assert round(row[ours], 6) == round(Decimal(theirs[name]), 6), (row.population, row.is_cut, ours)
        if not row.is_cut:
            cut: Any = published.loc[bases[row.population, True]]
            assert row.cutoff_amount == Decimal(cut.note.removeprefix("q85="))


def test_facts_of_the_data(real: Warehouse, facts: dict[str, Decimal]) -> None:
    """Every count and total that is known of the data, from the raw lines to the customers."""
    raw = real.rows(
        """
        select count(*) as rows, count(distinct invoice_no) as invoices, count(distinct customer_id) as customers,
            count(distinct stock_code) as skus, min(invoice_date)::text as min_date,
            max(invoice_date)::text as max_date,
            count(*) - count(customer_id) as null_customer,
            count(*) - count(description) as null_description,
            count(*) filter (where quantity < 0) as rows_qty_neg,
            count(*) filter (where quantity < 0 and invoice_no not like 'C%') as "rows_qty_neg_not_C",
            count(*) filter (where unit_price = 0) as rows_price_zero,
            count(*) filter (where unit_price < 0) as rows_price_neg,
            count(*) filter (where invoice_no like 'A%') as bad_debt_rows
        from raw_invoices
        """
    )[0]
    clean = real.rows(
        """
        select sum(line_total) as total_revenue, count(*) filter (where is_cancellation) as cancel_rows,
            count(distinct invoice_no) filter (where is_cancellation) as cancel_invoices,
            count(*) filter (where is_cancellation and quantity > 0) as "C_rows_positive_qty",
            count(*) filter (where is_repeat) as exact_duplicate_rows,
            count(*) filter (where is_sale) as rows_known_customer_qty_price_pos,
            count(distinct customer_id) filter (where is_sale) as customers_seed1
        from clean_invoices
        """
    )[0]
    known = dict(raw) | dict(clean)
    assert known == {name: facts[name] for name in known}
    assert [row.n for row in real.rows("select count(*) as n from rfm_scores")] == [facts["customers_seed1"]]


def test_quintile_edges_are_the_published_ones(real: Warehouse, real_data: Path) -> None:
    """No score is on the wrong side of an edge of the published quintiles."""
    edges = reference(real_data, "rfm_quintile_edges.csv").query("set == 'published'").set_index("metric")
    scores = read_frame(real, "rfm_scores")
    for metric, value, score in (
        ("Recency", scores.recency_days, 6 - scores.r_score), ("Monetary", scores.monetary, scores.m_score),
    ):  # fmt: skip
        inner = [float(str(edges.loc[metric, f"q{q}"])) for q in (20, 40, 60, 80)]
        assert (score == 1 + sum((value > edge + 1e-3).astype(int) for edge in inner)).all()


def contents(warehouse: Warehouse, tables: Iterable[str]) -> dict[str, Decimal]:
    """A hash of the rows of each table, whatever their order."""
    hashes = {}
    for table in tables:
        columns = ", ".join(column for column in declared_types()[table] if column not in NOT_COMPARED.get(table, []))
        query = f"select sum(cast(hashtextextended(cast(row({columns}) as text), 0) as numeric)) as hash from {table}"
        hashes[table] = warehouse.rows(query)[0].hash
    return hashes


def test_shuffled_lines_change_nothing(
    real: Warehouse, make_database: MakeDatabase, real_data: Path, tmp_path: Path
) -> None:
    """The same tables of the lines in another order.

    Of equal tables charts and fitted models are equal: test_charts_report.py and test_foresight.py.
    """
    script = gzip.decompress((real_data / "retail.sql.gz").read_bytes()).split(b"\n")
    begin = next(i for i, line in enumerate(script) if line.startswith(b"COPY")) + 1
    end = script.index(b"\\.")
    lines = script[begin:end]
    random.Random(7).shuffle(lines)
    shuffled = tmp_path / "retail.sql.gz"  # a dump of the same name, told by its content to be no gzip
    shuffled.write_bytes(b"\n".join(script[:begin] + lines + script[end:]))
    again = Warehouse(make_database())
    again.prepare()
    load_dump(again, DumpFile(shuffled, shuffled.name))
    take_over_fitted(again, real)
    built = [table for table in TABLES if table not in FITTED]
    build_tables(again, *built)
    compared = {"raw_invoices", *built} - {"return_matches"}
    assert contents(again, compared) == contents(real, compared)
    again.engine.dispose()
