"""The checks: each holds on sound tables, and fails with an explanation once its rule is broken."""

from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from lgs_assets.checks.sql_checks import evaluate
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.model import tables_in
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import DERIVED, Line, build_tables, followers, load_lines

FAULTS = {
    f"{file.parent.name}.{file.stem}": file.read_text()
    for file in sorted((Path(__file__).parent / "faults").glob("*/*.sql"))
}
"""What breaks each rule: a statement that plants a fault, in a file named as the check's, or `RULE.OF_WHAT.sql`."""
PLANNED = {f"{check.table}.{check.name}": check for check in CHECKS}


def checked_by(fault: str) -> str:
    """The check that must find it: `table.rule` of `table.rule` and of `table.rule.of_what`."""
    return ".".join(fault.split(".")[:2])


def test_every_check_has_its_fault_here() -> None:
    """A check that cannot fail is not a check."""
    assert {checked_by(fault) for fault in FAULTS} == set(PLANNED)


@pytest.mark.parametrize("name", PLANNED)
def test_a_check_reads_only_what_its_table_is_made_of(name: str) -> None:
    """It runs when its table is built: what follows the table may not be there yet, or be that of before."""
    check = PLANNED[name]
    read = tables_in(check.query) & {*DERIVED, "raw_invoices"}
    assert [table for table in sorted(read - {check.table}) if check.table not in followers(table)] == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ties": "together"},
        {"drop_repeats": True},
        {"ties": "together", "doubled_invoices": "once"},
        {"snapshot_date": datetime(2011, 7, 15, 12)},
    ],
    ids=str,
)
def test_all_hold_on_sound_tables(built: Warehouse, settings: dict[str, Any]) -> None:
    """No false alarm, under any of the settings."""
    build_tables(built, **settings)
    failed = [check.name for check in CHECKS if not evaluate(check, PostgresTables(built)).passed]
    assert failed == []


def test_what_checks_found_is_kept_for_readers(built: Warehouse) -> None:
    """A run leaves the finding of each check in the warehouse, where the dashboard reads it."""
    kept = built.rows("select table_name || '.' || check_name as name, violating_rows, degree from check_results")
    assert {row.name: (row.violating_rows, row.degree) for row in kept} == {
        name: (0, check.degree) for name, check in PLANNED.items()
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_explained(built: Warehouse, fault: str) -> None:
    """The check fails, with its severity, the number of rows, some of them and the query that finds them all."""
    with built.transaction() as connection:
        connection.execute(sa.text(FAULTS[fault]))
    check = PLANNED[checked_by(fault)]
    result = evaluate(check, PostgresTables(built))
    assert not result.passed
    assert (result.severity == dg.AssetCheckSeverity.WARN) == check.is_warning
    assert int(str(result.metadata["violating_rows"].value)) >= 1
    assert str(result.metadata["sample"].value).startswith("| ")
    assert check.query in str(result.metadata["query"].value)


@pytest.mark.parametrize("rule", [{"drop_repeats": True}, {"doubled_invoices": "once"}], ids=str)
def test_what_a_setting_drops_is_reconciled(warehouse: Warehouse, tmp_path: Path, rule: dict[str, Any]) -> None:
    """The raw side of the reconciliation leaves it out if the table was built without it, and only then."""
    load_lines(warehouse, tmp_path, [Line(), Line(), Line("2"), Line("2"), Line("2", "POST"), Line("3")])
    check = PLANNED["clean_invoices.reconcile_with_raw"]
    build_tables(warehouse, "clean_invoices", **rule)
    assert evaluate(check, PostgresTables(warehouse)).passed
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update publications set settings = '{}'"))
    assert not evaluate(check, PostgresTables(warehouse)).passed


@pytest.mark.parametrize(
    ("change", "is_told"),
    [((0, 30, 70), False), ((0, 31, 69), True), ((30, 0, 130), False), ((31, 0, 131), True), ((31, 31, 100), True)],
)
def test_an_audience_that_shrinks_or_grows_at_once_is_told(
    built: Warehouse, change: tuple[int, int, int], is_told: bool
) -> None:
    """By more than 30 % of what it was; the entered, the left and the members that remain. Not its first members."""
    query = PLANNED["audience_history.changes_gradually"].query
    with built.transaction() as connection:
        connection.exec_driver_sql("insert into audience_history values ('new', '2999-01-01', 100, 0, 100)")
    assert built.rows(query) == []
    with built.transaction() as connection:
        connection.exec_driver_sql("insert into audience_history values ('new', '2999-02-01', %s, %s, %s)", change)
    assert [row.audience for row in built.rows(query)] == ["new"] * is_told


@pytest.mark.parametrize(
    ("asked", "evaluated", "is_missing"),
    [
        ("slipping", "slipping, Loyal Customers and Champions", False),
        ("slipping", "slipping, Loyal Customers", True),
        ("churn_risk", "churn_risk, Loyal Customers", False),
        (90, "customer_value, 90 days", False),
        (90, "customer_value, 182 days", True),
        ((1, "week"), "forecasts, total by week, 1 ahead", False),
        ((1, "week"), "forecasts, total by week, 13 ahead", True),
        ((1, "week"), "forecasts, total by month, 1 ahead", True),
    ],
)
def test_what_was_tried_is_evaluated_be_its_figure_defined_or_not(
    built: Warehouse, asked: str | int | tuple[int, str], evaluated: str, is_missing: bool
) -> None:
    """Where nobody slipped there is no figure, and a row that says so. A row of another task is none."""
    check = PLANNED["model_evaluations.are_of_all_backtests"]
    day, row = "'2011-03-01'", "null, null, 9, null, null, null, null, null, null, false, 'nothing came'"
    if isinstance(asked, tuple):
        rows = f"('total', 'All sales', '{asked[1]}', {asked[0]}, {day}, {day}, 'last', true, false, 1, 1)"
        plant = f"insert into forecast_backtests values {rows}"
    elif isinstance(asked, int):
        plant = f"insert into value_backtests values ({asked}, {day}, 101, {day}, 0, 1, 2, 0.9, 0, 1, 2, 0, 0, 0, 0)"
    else:
        chance = 0.5 if asked == "churn_risk" else "null"
        plant = f"""insert into risk_backtests values
            ('{asked}', {day}, 101, {day}, 'Champions', 1, 0.5, {chance}, 1, {chance}, 0.5, false)"""
    with built.transaction() as connection:
        connection.exec_driver_sql(plant)
        connection.exec_driver_sql(
            f"insert into model_evaluations values (%s, 'a model', 'pooled', 'auc', 'back-test', null, {row})",
            (evaluated,),
        )
    assert evaluate(check, PostgresTables(built)).passed is not is_missing


@pytest.mark.parametrize(
    ("n", "source", "is_doubted"), [(9, "back-test", False), (10, "back-test", True), (10, "live", False)]
)
def test_few_values_say_nothing_of_an_interval(built: Warehouse, n: int, source: str, is_doubted: bool) -> None:
    """One of nine outside is what 95 % may well hold; live figures are shown, the alarm is of past days."""
    with built.transaction() as connection:
        connection.exec_driver_sql(
            "insert into model_evaluations (task, model, fold, metric, source, value, n, is_used) values "
            f"('forecasts, all', 'a model', 'pooled', 'coverage_95', '{source}', 0.88, {n}, true)"
        )
    assert evaluate(PLANNED["model_evaluations.intervals_cover"], PostgresTables(built)).passed is not is_doubted


OCTOBER, APRIL = "2010-10-01 10:00", "2011-04-01 10:00"


@pytest.mark.parametrize(
    ("older", "newer", "disputed"),
    [
        ([Line("1"), Line("1"), Line("2", customer_id=None)], [Line("1"), Line("1"), Line("3")], []),
        ([Line("1"), Line("1")], [Line("1"), Line("2")], ["1"]),
        ([Line("1", description=None)], [Line("1")], ["1"]),
        ([Line("1", quantity=1), Line("1", quantity=2)], [Line("1", quantity=3)], ["1"]),
        ([Line("1", stock_code="a"), Line("2")], [Line("1", stock_code="b"), Line("2")], ["1"]),
    ],
)
def test_dumps_disagree_on_an_invoice_if_any_line_differs(
    warehouse: Warehouse, tmp_path: Path, older: list[Line], newer: list[Line], disputed: list[str]
) -> None:
    """However often the invoice occurs and whatever it lacks. Invoices that only one dump holds are not disputed."""
    for name, lines in (("older.sql", older), ("newer.sql", newer)):
        load_lines(warehouse, tmp_path, lines, name=name)
    build_tables(warehouse, "clean_invoices")
    rows = warehouse.rows(PLANNED["clean_invoices.dumps_agree"].query)
    assert [(row.invoice_no, row.dump, row.counts) for row in rows] == [
        (invoice, dump, dump == "newer.sql") for invoice in disputed for dump in ("newer.sql", "older.sql")
    ]


@pytest.mark.parametrize("dumps", [1, 2])
@pytest.mark.parametrize(
    ("again", "is_another"),
    [
        (Line("1", stock_code="b", customer_id=2, invoice_date=APRIL), True),
        (Line("1", stock_code="b", customer_id=None, invoice_date=APRIL), True),
        (Line("1", stock_code="b", customer_id=2, invoice_date=OCTOBER), False),
        (Line("1", stock_code="a", customer_id=2, invoice_date=APRIL), False),
        (Line("1", stock_code="b", customer_id=1, invoice_date=APRIL), False),
    ],
)
def test_an_invoice_number_begins_again_with_nothing_in_common(
    warehouse: Warehouse, tmp_path: Path, again: Line, is_another: bool, dumps: int
) -> None:
    """Another day, another customer, other products: in one dump or in two."""
    lines = [Line("1", stock_code="a", customer_id=1, invoice_date=OCTOBER), again]
    for dump in range(dumps):
        load_lines(warehouse, tmp_path, lines[dump::dumps], name=f"{dump}.sql")
    build_tables(warehouse, "clean_invoices")
    rows = warehouse.rows(PLANNED["clean_invoices.invoice_numbers_begin_once"].query)
    assert [(row.invoice_no, str(row.began_again_on)) for row in rows] == [("1", "2011-04-01")] * is_another
