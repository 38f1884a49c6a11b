"""The products: what sells, what comes back and what is bought together."""

import pandas as pd

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.models.baskets import bought_together
from lgs_assets.models.returns import match_returns
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, columns, derived_asset
from lgs_assets.wiring.resources import RunSettings


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def stock_codes(clean_invoices: Relation) -> Model:
    """The product or charge behind each stock code, and its name. One row per stock code as written."""
    return Model("stock_codes.sql", clean_invoices)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def returnable_lines(clean_invoices: Relation, stock_codes: Relation) -> Model:
    """The sales and returns of every customer and code with a return. One row per line."""
    return Model("returnable_lines.sql", clean_invoices, stock_codes)


@derived_asset(
    group="products",
    kinds={"postgres", "python"},
    ins={
        "returnable_lines": columns(
            *("invoice_no", "line_number", "customer_id", "code", "place", "is_return", "units", "price_rank")
        )
    },
)
def return_matches(returnable_lines: pd.DataFrame) -> pd.DataFrame:
    """The sale that each returned unit came from. One row per return line and sale line."""
    return match_returns(returnable_lines)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def returns(
    returnable_lines: Relation, return_matches: Relation, stock_codes: Relation, invoice_totals: Relation
) -> Model:
    """Every line that a customer returned, with the sale that it takes back. One row per line."""
    return Model("returns.sql", returnable_lines, return_matches, stock_codes, invoice_totals)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def products(clean_invoices: Relation, stock_codes: Relation, product_months: Relation, returns: Relation) -> Model:
    """What each product sold and what of it came back, ranked by sales. One row per product."""
    return Model("products.sql", clean_invoices, stock_codes, product_months, returns)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def charges(clean_invoices: Relation, stock_codes: Relation) -> Model:
    """Items on invoices other than products, such as postage and fees. One row per code."""
    return Model("charges.sql", clean_invoices, stock_codes)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def product_months(clean_invoices: Relation, stock_codes: Relation, monthly_metrics: Relation) -> Model:
    """What each product sold and what of it came back, month by month. One row per product and month."""
    return Model("product_months.sql", clean_invoices, stock_codes, monthly_metrics)


@derived_asset(
    group="products",
    kinds={"postgres", "python"},
    settings=("pair_support",),
    ins={"clean_invoices": columns("invoice_no", "stock_code", "is_sold")},
)
def product_pairs(clean_invoices: pd.DataFrame, stock_codes: pd.DataFrame, settings: RunSettings) -> pd.DataFrame:
    """Products often bought together. One row per pair."""
    return bought_together(clean_invoices, stock_codes, support=settings.pair_support)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def product_movers(product_months: Relation, monthly_metrics: Relation) -> Model:
    """The last three whole months of each product against the year before. One row per product that sold in either."""
    return Model("product_movers.sql", product_months, monthly_metrics)


@derived_asset(group="products", kinds=IN_WAREHOUSE)
def segment_products(clean_invoices: Relation, stock_codes: Relation, segments: Relation) -> Model:
    """What the customers of each segment bought. One row per segment, month and product."""
    return Model("segment_products.sql", clean_invoices, stock_codes, segments)
