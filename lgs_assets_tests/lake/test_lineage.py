"""The whole lineage with its lines in the lake, from the command line."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.check import CHECKS
from lgs_assets.definitions import build_definitions
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.builders import FEW, Line, resources, write_dump


@pytest.fixture
def _in_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LGS_ENGINE", "duckdb")


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


@pytest.mark.usefixtures("_in_lake", "few_tables")
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
    assert f"Loaded 3.sql, 4.sql; rebuilt {len(FEW - {'raw_invoices'})} tables" in first.output
    assert "Everything is up to date" in lgs("run").output
    seen = lgs("status")
    assert seen.exit_code == 0, seen.output
    checks = sum(check.table in FEW for check in CHECKS)
    assert f"Checks: {checks} of {checks} hold" in seen.output
    assert "outdated" not in seen.output
    clean: Any = build_definitions(Configuration.read()).load_asset_value("clean_invoices", python_type=object)
    assert clean["dump"].nunique() == 2
    gone = lgs("forget", "4.sql", "--yes")
    assert gone.exit_code == 0, gone.output
    left = resources().tables.read_frame("clean_invoices", ["dump", "line_total"])
    assert (set(left["dump"]), len(left)) == ({"3.sql"}, 29)
    assert warehouse.rows("select sum(customers)::int as n from segment_summary") == [{"n": 29}]
