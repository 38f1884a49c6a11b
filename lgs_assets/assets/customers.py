"""The customers: their scores, their segments and what marketing does with them."""

import pandas as pd

from lgs_assets.contracts.model import Model, Relation, seed_path
from lgs_assets.wiring.derived_asset import BUILD_ONCE, IN_WAREHOUSE, derived_asset

PLAYBOOK = seed_path("segment_playbook")


@derived_asset(group="customers", kinds=IN_WAREHOUSE)
def customer_profile(invoice_totals: Relation) -> Model:
    """Since when, how often and for how much each customer has bought, and what was refunded. One row per customer."""
    return Model("customer_profile.sql", invoice_totals)


@derived_asset(group="customers", kinds=IN_WAREHOUSE)
def rfm_scores(rfm_history: Relation) -> Model:
    """Recency, frequency and monetary value of each customer and their quintiles. One row per customer."""
    return Model("rfm_scores.sql", rfm_history)


@derived_asset(group="customers", kinds={"postgres", "csv"}, sources=(PLAYBOOK,), automation=BUILD_ONCE)
def segment_playbook() -> pd.DataFrame:
    """The segment map, with the behaviour and the strategy of each segment. One row per segment."""
    return pd.read_csv(PLAYBOOK)


@derived_asset(group="customers", kinds=IN_WAREHOUSE)
def segments(rfm_scores: Relation, clean_invoices: Relation, segment_playbook: Relation) -> Model:
    """Names each customer's segment from the R and F scores. One row per customer."""
    return Model("segments.sql", rfm_scores, clean_invoices, segment_playbook)


@derived_asset(group="customers", kinds=IN_WAREHOUSE)
def segment_summary(segments: Relation, segment_playbook: Relation) -> Model:
    """Size, value and strategy of each segment. One row per segment."""
    return Model("segment_summary.sql", segments, segment_playbook)
