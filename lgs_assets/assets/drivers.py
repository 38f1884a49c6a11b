"""The drivers: what changed sales from month to month and year to year, and how much of it is more than chance."""

import pandas as pd

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.models.trend import seasonal_parts, trends, whole_months
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="drivers", kinds=IN_WAREHOUSE)
def sales_drivers(invoice_totals: Relation, monthly_metrics: Relation) -> Model:
    """The change of net sales, by customers, orders, items, price, guests and returns. One row per comparison."""
    return Model("sales_drivers.sql", invoice_totals, monthly_metrics)


@derived_asset(group="drivers", kinds=IN_WAREHOUSE)
def customer_gain_loss(invoice_totals: Relation, sales_drivers: Relation) -> Model:
    """Net sales gained and lost by new, grown, shrunk, lost and returning customers. One row per movement."""
    return Model("customer_gain_loss.sql", invoice_totals, sales_drivers)


@derived_asset(group="drivers", kinds=IN_WAREHOUSE)
def monthly_series(invoice_totals: Relation, monthly_metrics: Relation, user_activity: Relation) -> Model:
    """The monthly figures whose trend and season are tested. One row per series and month."""
    return Model("monthly_series.sql", invoice_totals, monthly_metrics, user_activity)


@derived_asset(group="drivers", kinds={"postgres", "python"})
def trend_statistics(monthly_series: pd.DataFrame) -> Computation:
    """How each series moves with time, and how certain that is. One row per series and method."""
    return Computation(trends, (whole_months(monthly_series),))


@derived_asset(group="drivers", kinds={"postgres", "python"})
def seasonality(monthly_series: pd.DataFrame) -> Computation:
    """Trend, season and remainder of each series. One row per series and month."""
    return Computation(seasonal_parts, (whole_months(monthly_series),))
