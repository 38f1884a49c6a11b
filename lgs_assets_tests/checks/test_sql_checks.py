"""The checks: each holds on sound tables, and fails with an explanation once its rule is broken."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from lgs_assets.checks.sql_checks import CHECKS, evaluate
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import Store
from lgs_assets_tests.builders import Line, build_tables, load_lines

# What breaks each rule: a statement that plants the fault.
FAULTS = {
    "raw_invoices.lines_match_ledger": "update dumps set lines = lines + 1",
    "raw_invoices.no_line_is_rejected": (
        "insert into rejected_lines (dump, line_number, column_name, reason, line) "
        "values ('retail.sql', 2, null, 'why', 'x')"
    ),
    "clean_invoices.reconcile_with_raw": "delete from clean_invoices where line_number = 5",
    "clean_invoices.cancellations_are_negative": (
        "update clean_invoices set invoice_no = 'C1', is_cancellation = true where line_number = 5"
    ),
    "clean_invoices.prices_are_positive": (
        "update clean_invoices set unit_price = 0, line_total = 0, is_sale = false where line_number = 5"
    ),
    "clean_invoices.lines_do_not_repeat": "update clean_invoices set is_repeat = line_number = 5",
    "invoice_totals.reconcile_with_lines": (
        "update invoice_totals set sale_amount = sale_amount + 0.01 where invoice_no = '101-0'"
    ),
    "monthly_metrics.sum_to_all_lines": (
        "update monthly_metrics set sales = sales + 0.01 where invoice_month = '2011-03-01'"
    ),
    "monthly_metrics.no_month_missing": "delete from monthly_metrics where invoice_month = '2011-04-01'",
    "user_activity.new_users_are_customers": "update user_activity set new_users = 0, existing_users = active_users",
    "invoice_amounts.sum_to_all_lines": "update invoice_amounts set amount = amount + 0.001 where invoice_no = '101-0'",
    "rfm_scores.reconcile_with_sales": "update rfm_scores set monetary = monetary + 0.01 where customer_id = 101",
    "rfm_scores.are_quintiles": "update rfm_scores set rfm_score = '555' where customer_id = 101",
    "rfm_scores.quintiles_are_balanced": "update rfm_scores set r_score = 6 - r_score",
    "rfm_scores.recency_is_not_constant": "update rfm_scores set recency_days = 7",
    "segment_playbook.covers_each_cell_once": "delete from segment_playbook where segment = 'Promising'",
    "segments.match_scores": "update segments set segment = 'Champions'",
    "segment_summary.reconciles_with_sales": "update segment_summary set revenue = revenue + 0.01 where position = 2",
    "charts.are_pictures": "insert into charts values ('x', 99, 'X', 'no picture', '<svg></svg>')",
}
PLANNED = {f"{check.table}.{check.name}": check for check in CHECKS}


def test_every_check_has_its_fault_here() -> None:
    """A new check cannot be forgotten in this file."""
    assert set(FAULTS) == set(PLANNED)


@pytest.mark.parametrize("drop_repeats", [False, True])
@pytest.mark.parametrize("ties", ["by_customer_id", "together"])
def test_all_hold_on_sound_tables(built: Warehouse, ties: str, drop_repeats: bool) -> None:
    """No false alarm, under any of the settings."""
    build_tables(built, ties=ties, drop_repeats=drop_repeats)
    failed = [check.name for check in CHECKS if not evaluate(check, Store(built)).passed]
    assert failed == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_explained(built: Warehouse, name: str) -> None:
    """The check fails, with its severity, the number of rows, some of them and the query that finds them all."""
    with built.transaction() as connection:
        connection.execute(sa.text(FAULTS[name]))
    check = PLANNED[name]
    result = evaluate(check, Store(built))
    assert not result.passed
    assert result.severity == check.severity
    assert int(str(result.metadata["violating_rows"].value)) >= 1
    assert str(result.metadata["sample"].value).startswith("| ")
    assert check.query in str(result.metadata["query"].value)


def test_repeats_reconcile_when_they_are_dropped(warehouse: Warehouse, tmp_path: Path) -> None:
    """The raw side of the reconciliation leaves them out if the table was built without them, and only then."""
    load_lines(warehouse, tmp_path, [Line(), Line()])
    check = PLANNED["clean_invoices.reconcile_with_raw"]
    build_tables(warehouse, "clean_invoices", drop_repeats=True)
    assert evaluate(check, Store(warehouse)).passed
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update publications set settings = '{}'"))
    assert not evaluate(check, Store(warehouse)).passed
