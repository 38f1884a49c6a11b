"""The second stage: the lines that count, typed and classified."""

from lgs_assets.contracts.model import InvoiceModel, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def clean_invoices(raw_invoices: Relation) -> InvoiceModel:
    """For each invoice, the lines of the newest dump that holds it, classified. One row per line."""
    return InvoiceModel("clean_invoices.sql", raw_invoices)
