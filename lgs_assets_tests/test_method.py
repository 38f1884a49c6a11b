"""docs/method.md: the figures of its examples are those of the demo shop that `lgs run` builds, with its costs."""

from docs.examples import PAGE, filled
from lgs_assets.demo.costs import demo_costs
from lgs_assets.warehouse.costs import keep_costs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import MakeDatabase, build_tables


def test_every_example_has_its_rows(demo: Warehouse, make_database: MakeDatabase) -> None:
    """A reader who runs a query of the page finds the rows below it; `python -m docs.examples` writes them."""
    demo.engine.dispose()
    warehouse = Warehouse(make_database(template=demo.url))
    keep_costs(warehouse, demo_costs(seed=2009))
    build_tables(warehouse, "margins", "expected_margins")
    page = PAGE.read_text()
    assert page.count("```sql") > 10
    assert filled(page, warehouse) == page
    warehouse.engine.dispose()
