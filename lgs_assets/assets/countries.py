"""The countries: where customers are, and how much of a country is one customer."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def countries(invoice_totals: Relation) -> Model:
    """Sales and customers of each country, and the share of its largest customer. One row per country."""
    return Model("countries.sql", invoice_totals)


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def country_months(invoice_totals: Relation, monthly_metrics: Relation) -> Model:
    """Sales, orders and customers of each country, month by month. One row per country and month."""
    return Model("country_months.sql", invoice_totals, monthly_metrics)


@derived_asset(group="countries", kinds=IN_WAREHOUSE)
def segment_month_country(invoice_totals: Relation, segments: Relation) -> Model:
    """Sales of each segment by month and country, guests included. One row per segment, month and country."""
    return Model("segment_month_country.sql", invoice_totals, segments)
