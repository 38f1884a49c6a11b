"""The checks: each holds on sound tables, and fails with an explanation once its rule is broken."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lgs_assets.checks.sql_checks import CHECKS, evaluate
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import PostgresTables
from lgs_assets_tests.builders import Line, build_tables, load_lines

FAULTS = {
    f"{file.parent.name}.{file.stem}": file.read_text()
    for file in sorted((Path(__file__).parent / "faults").glob("*/*.sql"))
}
"""What breaks each rule: a statement that plants the fault, in a file named as the check's."""
PLANNED = {f"{check.table}.{check.name}": check for check in CHECKS}


def test_every_check_has_its_fault_here() -> None:
    """A check that cannot fail is none."""
    assert set(FAULTS) == set(PLANNED)


@pytest.mark.parametrize(
    "settings",
    [{}, {"ties": "together"}, {"drop_repeats": True}, {"ties": "together", "doubled_invoices": "once"}],
    ids=str,
)
def test_all_hold_on_sound_tables(built: Warehouse, settings: dict[str, Any]) -> None:
    """No false alarm, under any of the settings."""
    build_tables(built, **settings)
    failed = [check.name for check in CHECKS if not evaluate(check, PostgresTables(built)).passed]
    assert failed == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_explained(built: Warehouse, name: str) -> None:
    """The check fails, with its severity, the number of rows, some of them and the query that finds them all."""
    with built.transaction() as connection:
        connection.execute(sa.text(FAULTS[name]))
    check = PLANNED[name]
    result = evaluate(check, PostgresTables(built))
    assert not result.passed
    assert result.severity == check.severity
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
