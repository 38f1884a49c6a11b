"""The whole lineage with its lines in the lake: from the command line, and on the real data."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from lgs_assets.checks.sql_checks import CHECKS
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets.wiring.versions import outdated
from lgs_assets_tests.builders import DERIVED, Line, MakeDatabase, build_tables, resources, write_dump
from lgs_assets_tests.lake.test_lake import assert_same_tables

WARNINGS = {"invoices_are_not_doubled", "cancellations_are_negative", "prices_are_positive", "lines_do_not_repeat"}


@pytest.fixture
def _in_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGS_ENGINE", "duckdb")


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


@pytest.mark.usefixtures("_in_lake")
def test_the_commands_are_the_same(warehouse: Warehouse) -> None:
    """Load what is in the inbox, once; see it; take a dump out again; load an asset as in a notebook.

    The dumps were loaded before there was a lake: they move by themselves.
    """
    inbox = Path(Configuration.read().inbox_location)
    for month in (3, 4):
        lines = [
            Line(f"{month}-{c}", customer_id=c, invoice_date=f"2011-0{month}-{c - 100:02}") for c in range(101, 130)
        ]
        write_dump(inbox / f"{month}.sql", lines)
        load_dump(warehouse, DumpFile(inbox / f"{month}.sql", f"{month}.sql"))
    first = lgs("run")
    assert first.exit_code == 0, first.output
    assert f"Loaded 3.sql, 4.sql; rebuilt {len(DERIVED)} tables" in first.output
    assert "Everything is up to date" in lgs("run").output
    seen = lgs("status")
    assert seen.exit_code == 0, seen.output
    assert f"Checks: {len(CHECKS)} of {len(CHECKS)} hold" in seen.output
    assert "outdated" not in seen.output
    clean: Any = build_definitions(Configuration.read()).load_asset_value("clean_invoices", python_type=object)
    assert clean["dump"].nunique() == 2
    gone = lgs("forget", "4.sql", "--yes")
    assert gone.exit_code == 0, gone.output
    left = resources().tables.read_frame("clean_invoices", ["dump", "line_total"])
    assert (set(left["dump"]), len(left)) == ({"3.sql"}, 29)
    assert warehouse.rows("select count(*) as n from monthly_metrics") == [{"n": 1}]


def test_every_table_of_the_real_data_is_the_same(
    warehouse: Warehouse, make_database: MakeDatabase, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One job from the dump to the segments, with its checks: all tables are PostgreSQL's, to the last digit."""
    monkeypatch.setenv("LGS_ENGINE", "duckdb")
    name = resources().inbox.land(real_data / "retail.sql.gz")
    definitions = build_definitions(Configuration.read())
    tables = [spec.key for spec in definitions.resolve_all_asset_specs() if spec.group_name != "report"]
    report = [spec.key.path[-1] for spec in definitions.resolve_all_asset_specs() if spec.group_name == "report"]
    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions("dumps", [name])
        done = definitions.resolve_job_def("lineage").execute_in_process(
            instance=instance, partition_key=name, asset_selection=tables
        )
    evaluations = done.get_asset_check_evaluations()
    assert {check.check_name for check in evaluations if not check.passed} == WARNINGS
    assert len(evaluations) == len([check for check in CHECKS if check.table != "charts"])
    (event,) = done.asset_materializations_for_node("clean_invoices")
    assert event.metadata["dagster/row_count"].value == 1_067_371
    assert str(event.metadata["preview"].value).count("\n") == 6
    assert set(outdated(definitions.resolve_all_asset_specs(), Settings(), warehouse)) == set(report)
    alone = Warehouse(make_database())
    alone.prepare()
    load_dump(alone, DumpFile(real_data / "retail.sql.gz", name))
    build_tables(alone)
    assert_same_tables(resources().tables, alone)
    alone.engine.dispose()
