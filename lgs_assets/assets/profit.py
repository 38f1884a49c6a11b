"""What is left of sales, and what will be: margins, where unit costs are known."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="profit", kinds=IN_WAREHOUSE)
def margins(clean_invoices: Relation, stock_codes: Relation, segments: Relation) -> Model:
    """Sales less cost by product, country, segment and customer; empty without costs. One row per member and month."""
    return Model("margins.sql", clean_invoices, stock_codes, segments)


@derived_asset(group="profit", kinds=IN_WAREHOUSE)
def expected_margins(
    margins: Relation,
    forecasts: Relation,
    customer_value: Relation,
    monthly_metrics: Relation,
    prediction_terms: Relation,
) -> Model:
    """What expected sales will earn; empty without costs. One row per kind, series and period."""
    return Model("expected_margins.sql", margins, forecasts, customer_value, monthly_metrics, prediction_terms)
