"""The monthly figures: orders, sales and active customers."""

from lgs_assets.assets.conventions import IN_WAREHOUSE, derived_asset
from lgs_assets.warehouse.model import Model, Relation


@derived_asset(group="months", kinds=IN_WAREHOUSE)
def monthly_metrics(invoice_totals: Relation) -> Model:
    """Orders placed and canceled, sales and their growth. One row a month."""
    return Model("monthly_metrics.sql", invoice_totals=invoice_totals)


@derived_asset(group="months", kinds=IN_WAREHOUSE)
def user_activity(invoice_totals: Relation) -> Model:
    """Customers active in the month, new and existing. One row a month."""
    return Model("user_activity.sql", invoice_totals=invoice_totals)
