"""docs/method.md: the figures of its examples are those of the demo shop that `lgs run` builds."""

from docs.examples import PAGE, filled
from lgs_assets.warehouse.database import Warehouse


def test_every_example_has_its_rows(demo: Warehouse) -> None:
    """A reader who runs a query of the page finds the rows below it; `python -m docs.examples` writes them."""
    page = PAGE.read_text()
    assert page.count("```sql") > 10
    assert filled(page, demo) == page
