"""The checks: each holds on sound tables, and fails with an explanation once its rule is broken."""

from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from lgs_assets.checks.sql_checks import CHECKS, evaluate
from lgs_assets.command.runner import Runner
from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, load_lines, write_dump

SOUND = [
    Line(f"{customer}-{number}", customer_id=customer, invoice_date=f"2011-{3 + number:02}-{customer - 100:02} 10:00")
    for customer in range(101, 121)
    for number in range(1 + customer % 3)
]

FAULTS = {
    f"{file.parent.name}.{file.stem}": file.read_text()
    for file in sorted((Path(__file__).parent / "faults").glob("*/*.sql"))
}
"""What breaks each rule: a statement that plants the fault, in a file named as the check's."""
PLANNED = {f"{check.table}.{check.name}": check for check in CHECKS}


@pytest.fixture
def sound(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """Tables of which everything holds."""
    load_lines(warehouse, tmp_path, SOUND)
    build_tables(warehouse)
    with warehouse.transaction() as connection:
        connection.execute(sa.text("create table charts (name text, position int, title text, png bytea, svg text)"))
    return warehouse


def test_every_check_has_its_fault_here() -> None:
    """A check that cannot fail is none."""
    assert set(FAULTS) == set(PLANNED)


@pytest.mark.parametrize("drop_repeats", [False, True])
@pytest.mark.parametrize("ties", ["by_customer_id", "together"])
def test_all_hold_on_sound_tables(sound: Warehouse, ties: str, drop_repeats: bool) -> None:
    """No false alarm, under any of the settings."""
    build_tables(sound, ties=ties, drop_repeats=drop_repeats)
    failed = [check.name for check in CHECKS if not evaluate(check, PostgresTables(sound)).passed]
    assert failed == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_explained(sound: Warehouse, name: str) -> None:
    """The check fails, with its severity, the number of rows, some of them and the query that finds them all."""
    with sound.transaction() as connection:
        connection.execute(sa.text(FAULTS[name]))
    check = PLANNED[name]
    result = evaluate(check, PostgresTables(sound))
    assert not result.passed
    assert result.severity == check.severity
    assert result.metadata["violating_rows"].value >= 1
    assert str(result.metadata["sample"].value).startswith("| ")
    assert check.query in str(result.metadata["query"].value)


def test_repeats_reconcile_when_they_are_dropped(warehouse: Warehouse, tmp_path: Path) -> None:
    """The raw side of the reconciliation leaves them out if the table was built without them, and only then."""
    load_lines(warehouse, tmp_path, [Line(), Line()])
    check = PLANNED["clean_invoices.reconcile_with_raw"]
    build_tables(warehouse, "clean_invoices", drop_repeats=True)
    assert evaluate(check, PostgresTables(warehouse)).passed
    with warehouse.transaction() as connection:
        connection.execute(sa.text("update publications set settings = '{}'"))
    assert not evaluate(check, PostgresTables(warehouse)).passed


def test_a_constant_recency_stops_the_segments(warehouse: Warehouse, tmp_path: Path) -> None:
    """All customers bought on one day: whoever runs again is stopped again, and segments are never built on it."""
    dump = write_dump(tmp_path / "retail.sql", [Line(str(i), customer_id=100 + i) for i in range(10)])
    with dg.instance_for_test() as instance:
        for _ in range(2):
            outcome = Runner(Configuration.read(), instance).bring_up_to_date(dump)
            assert [check.check_name for check in outcome.failed_checks if check.blocking] == [
                "recency_is_not_constant"
            ]
            tables = {row.table_name for row in warehouse.rows("select table_name from publications")}
            assert "rfm_scores" in tables
            assert not tables & {"segments", "segment_summary"}
