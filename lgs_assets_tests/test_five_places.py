"""The recipe of CONTRIBUTING.md: a table is five small things in five places, and nothing else needs an edit."""

import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from lgs_assets import places
from lgs_assets_tests.builders import Line, write_dump

FIVE_PLACES = {
    "sql/models/refunds_by_month.sql": """
select invoice_month, sum(quantity) as units
from clean_invoices
where is_cancellation
group by invoice_month
""",
    "sql/tables/refunds_by_month.sql": """-- derived: rebuilt at will from other tables
create table refunds_by_month (
    invoice_month date primary key,
    units bigint not null
);

comment on table refunds_by_month is 'Units returned each month. One row per month.';
comment on column refunds_by_month.invoice_month is 'First day of the month.';
comment on column refunds_by_month.units is 'Units, negative.';
""",
    "lgs_assets/assets/refunds.py": """
from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="months", kinds=IN_WAREHOUSE)
def refunds_by_month(clean_invoices: Relation) -> Model:
    \"\"\"Units returned each month. One row per month.\"\"\"
    return Model("refunds_by_month.sql", clean_invoices)
""",
    "sql/checks/refunds_by_month/units_are_negative.sql": """-- What is given back counts below zero.
-- error
select invoice_month, units
from refunds_by_month
where units >= 0
""",
    "lgs_assets_tests/checks/faults/refunds_by_month/units_are_negative.sql": (
        "insert into refunds_by_month values ('2011-03-01', 1)"
    ),
    "lgs_assets_tests/models/test_refunds_by_month.py": """
from pathlib import Path

from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import Line, build_tables, load_lines


def test_units_are_added_up(warehouse: Warehouse, tmp_path: Path) -> None:
    load_lines(warehouse, tmp_path, [Line("C1", quantity=-2), Line("C2", quantity=-3), Line("3")])
    build_tables(warehouse, "clean_invoices", "refunds_by_month")
    assert [row.units for row in warehouse.rows("select units from refunds_by_month")] == [-5]
""",
}

# What expects something of every table, check or asset that there is.
EXPECTATIONS = [
    "lgs_assets_tests/models/test_refunds_by_month.py",
    "lgs_assets_tests/contracts/test_dictionary.py",
    "lgs_assets_tests/checks/test_sql_checks.py::test_every_check_has_its_fault_here",
    "lgs_assets_tests/wiring/test_definitions.py::test_definitions_load",
    "lgs_assets_tests/wiring/test_definitions.py::test_every_table_of_the_lineage_has_an_asset",
    "lgs_assets_tests/wiring/test_definitions.py::test_an_asset_depends_on_what_its_model_reads",
    "lgs_assets_tests/wiring/test_definitions.py::test_an_asset_says_what_it_is",
    "lgs_assets_tests/wiring/test_automation.py::test_a_dump_that_is_not_loaded_holds_nothing_up",
]

RUN = """
import sys
from lgs_assets.command.cli import app
from lgs_assets_tests.builders import leave_few_tables, sources
leave_few_tables(tables=sources("refunds_by_month"))
app(sys.argv[1:])
"""
"""The command, of a lineage that ends with the new table."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, compiled as it is."""
    ignored = shutil.ignore_patterns(".*", "benchmarks", "notebooks")
    shutil.copytree(places.ROOT, tmp_path / "checkout", ignore=ignored)
    return tmp_path / "checkout"


def test_a_table_is_added_in_five_places(checkout: Path, database: str) -> None:
    """A run builds it; the data dictionary, and every expectation derived from folders and definitions, follow."""
    for path, content in FIVE_PLACES.items():
        (checkout / path).parent.mkdir(exist_ok=True)
        (checkout / path).write_text(content.lstrip())
    python = [sys.executable, "-m"]
    dictionary = subprocess.check_output([*python, "lgs_assets.contracts.dictionary"], cwd=checkout, text=True)
    assert "## refunds_by_month\n\nUnits returned each month." in dictionary
    (checkout / "docs" / "data-dictionary.md").write_text(dictionary)
    tested = subprocess.run([*python, "pytest", "-q", *EXPECTATIONS], cwd=checkout, text=True, capture_output=True)
    assert tested.returncode == 0, tested.stdout
    dump = write_dump(checkout / "retail.sql", [Line("C1", quantity=-2), Line("2")])
    built = subprocess.run([sys.executable, "-c", RUN, "run", dump], cwd=checkout, text=True, capture_output=True)
    assert built.returncode == 0, built.stderr
    evaluated = "select count(*) from lgs.check_results where table_name = 'refunds_by_month' and violating_rows = 0"
    with psycopg.connect(database) as connection:
        assert connection.execute("select units from lgs.refunds_by_month").fetchall() == [(-2,)]
        assert connection.execute(evaluated).fetchone() == (1,)
