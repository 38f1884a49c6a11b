"""Whether customers come back: by cohort, by month, for the second time, and without any campaign."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def cohort_retention(invoice_totals: Relation, monthly_metrics: Relation) -> Model:
    """Customers of each cohort who bought again, and for how much. One row per cohort month and months since."""
    return Model("cohort_retention.sql", invoice_totals, monthly_metrics)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def cohort_retention_pooled(cohort_retention: Relation) -> Model:
    """The retention curve of all cohorts, without partial months. One row per pool and months since."""
    return Model("cohort_retention_pooled.sql", cohort_retention)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def customer_months(invoice_totals: Relation) -> Model:
    """Orders and net sales of each customer, month by month. One row per customer and month."""
    return Model("customer_months.sql", invoice_totals)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def cohort_months(customer_profile: Relation, customer_months: Relation) -> Model:
    """Orders, net sales and active customers by country and cohort. One row per country, cohort month and month."""
    return Model("cohort_months.sql", customer_profile, customer_months)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def customer_flow(invoice_totals: Relation, monthly_metrics: Relation) -> Model:
    """Customers new, retained, reactivated and lapsed, with their sales. One row per month."""
    return Model("customer_flow.sql", invoice_totals, monthly_metrics)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def second_purchases(customer_profile: Relation, monthly_metrics: Relation) -> Model:
    """Customers who bought on a second day within a window that is over. One row per cohort month and window."""
    return Model("second_purchases.sql", customer_profile, monthly_metrics)


@derived_asset(group="retention", kinds=IN_WAREHOUSE)
def natural_return(rfm_history: Relation, invoice_totals: Relation, monthly_metrics: Relation) -> Model:
    """What customers of each segment did next by themselves. One row per segment, start and length of the window."""
    return Model("natural_return.sql", rfm_history, invoice_totals, monthly_metrics)
