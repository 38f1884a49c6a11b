"""docs/method.md: the figures of its examples are those of the demo shop that `lgs run` builds."""

from pathlib import Path

import dagster as dg

from docs.examples import PAGE, filled
from lgs_assets.command.runner import Runner
from lgs_assets.configuration import Configuration
from lgs_assets.demo.costs import demo_costs
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.warehouse.costs import keep_costs
from lgs_assets.warehouse.database import Warehouse


def test_every_example_has_its_rows(warehouse: Warehouse, tmp_path: Path, one_chart: None) -> None:
    """A reader who runs a query of the page finds the rows below it; `python -m docs.examples` writes them."""
    dump = write_demo_dump(tmp_path / "demo.sql.gz").path
    keep_costs(warehouse, demo_costs(seed=2009))
    with dg.DagsterInstance.ephemeral() as instance:
        Runner(Configuration.read(), instance).bring_up_to_date(dump)
    page = PAGE.read_text()
    assert page.count("```sql") > 10
    assert filled(page, warehouse) == page
