"""What is left of sales: margins, where unit costs are known."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="profit", kinds=IN_WAREHOUSE)
def margins(clean_invoices: Relation, stock_codes: Relation, segments: Relation) -> Model:
    """Sales less cost by product, country, segment and customer; empty without costs. One row per member and month."""
    return Model("margins.sql", clean_invoices=clean_invoices, stock_codes=stock_codes, segments=segments)
