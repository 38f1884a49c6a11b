"""What will happen: the value, the risk and the sales to come, each with how wrong it has been."""

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def prediction_terms(clean_invoices: Relation) -> Model:
    """The moment that everything is predicted from, and whether enough was observed before it. One row."""
    return Model("prediction_terms.sql", clean_invoices=clean_invoices)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_days(clean_invoices: Relation) -> Model:
    """What each customer bought and cancelled, day by day. One row a customer and day."""
    return Model("customer_days.sql", clean_invoices=clean_invoices)


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_features(customer_days: Relation, prediction_terms: Relation, segment_playbook: Relation) -> Model:
    """What was known of each customer at each moment, from strictly before it. One row a moment and customer."""
    return Model(
        "customer_features.sql",
        customer_days=customer_days,
        prediction_terms=prediction_terms,
        segment_playbook=segment_playbook,
    )


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def customer_outcomes(customer_features: Relation, customer_days: Relation, prediction_terms: Relation) -> Model:
    """What came of each customer after each moment, as far as observed. One row a moment and customer."""
    return Model(
        "customer_outcomes.sql",
        customer_features=customer_features,
        customer_days=customer_days,
        prediction_terms=prediction_terms,
    )


@derived_asset(group="foresight", kinds=IN_WAREHOUSE)
def daily_series(clean_invoices: Relation, stock_codes: Relation, prediction_terms: Relation) -> Model:
    """Sales in total and by country, and units of the best-selling products. One row a series and day."""
    return Model(
        "daily_series.sql", clean_invoices=clean_invoices, stock_codes=stock_codes, prediction_terms=prediction_terms
    )
