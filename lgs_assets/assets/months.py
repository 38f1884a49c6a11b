"""The monthly figures: orders, sales and active customers."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="months", kinds=IN_WAREHOUSE)
def monthly_metrics(invoice_totals: Relation) -> Model:
    """Orders placed and cancelled, sales and their growth. One row per month."""
    return Model("monthly_metrics.sql", invoice_totals)


@derived_asset(group="months", kinds=IN_WAREHOUSE)
def user_activity(invoice_totals: Relation) -> Model:
    """Customers active in the month, new and existing. One row per month."""
    return Model("user_activity.sql", invoice_totals)
