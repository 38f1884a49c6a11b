"""The second stage: the lines that count, typed and classified."""

from lgs_assets.assets.conventions import IN_WAREHOUSE, derived_asset
from lgs_assets.settings import Settings
from lgs_assets.warehouse.model import InvoiceModel, Relation


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def clean_invoices(raw_invoices: Relation, settings: Settings) -> InvoiceModel:
    """Of each invoice, the lines of the newest dump that holds it, classified. One row a line."""
    return InvoiceModel("clean_invoices.sql", raw_invoices=raw_invoices, drop_repeats=settings.drop_repeats)
