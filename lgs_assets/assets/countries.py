"""The countries: where customers are, and how much of a country is one of them."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def countries(clean_invoices: Relation) -> Model:
    """Sales and customers of each country, and the share of its largest customer. One row a country."""
    return Model("countries.sql", clean_invoices=clean_invoices)


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def country_months(clean_invoices: Relation, monthly_metrics: Relation) -> Model:
    """Sales, orders and customers of each country, month by month. One row a country and month."""
    return Model("country_months.sql", clean_invoices=clean_invoices, monthly_metrics=monthly_metrics)


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def segment_month_country(clean_invoices: Relation, segments: Relation) -> Model:
    """Sales of each segment by month and country, guests included. One row a segment, month and country."""
    return Model("segment_month_country.sql", clean_invoices=clean_invoices, segments=segments)
