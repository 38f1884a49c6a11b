"""The customers over time: their scores and segments as of each month end, and who moved between segments, and why."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="history", kinds=IN_WAREHOUSE)
def rfm_history(invoice_totals: Relation, segment_playbook: Relation) -> Model:
    """Scores and segment of each customer as of each month end. One row per snapshot and customer."""
    return Model("rfm_history.sql", invoice_totals, segment_playbook)


@derived_asset(group="history", kinds=IN_WAREHOUSE)
def rfm_edges(rfm_history: Relation) -> Model:
    """Where the R and F scores begin and end at each month end. One row per snapshot and score."""
    return Model("rfm_edges.sql", rfm_history)


@derived_asset(group="history", kinds=IN_WAREHOUSE)
def segment_migrations(
    rfm_history: Relation, rfm_edges: Relation, segment_playbook: Relation, monthly_metrics: Relation
) -> Model:
    """Who moved between segments in a month, quarter and year, and why. One row per step, both segments and cause."""
    return Model("segment_migrations.sql", rfm_history, rfm_edges, segment_playbook, monthly_metrics)


@derived_asset(group="history", kinds=IN_WAREHOUSE)
def customer_groups(rfm_history: Relation, customer_profile: Relation) -> Model:
    """The customers of each snapshot, those alike in what is mostly asked of them together. One row per group."""
    return Model("customer_groups.sql", rfm_history, customer_profile)


@derived_asset(group="history", kinds=IN_WAREHOUSE)
def segment_survival(rfm_history: Relation, segment_migrations: Relation) -> Model:
    """How many of those who entered a segment are still in it, month by month. One row per segment and months."""
    return Model("segment_survival.sql", rfm_history, segment_migrations)
