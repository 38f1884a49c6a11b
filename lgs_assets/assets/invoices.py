"""The invoices: what each comes to, and how the amounts are distributed."""

from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_totals(clean_invoices: Relation) -> InvoiceModel:
    """Totals of the lines of an invoice. One row for each day, customer and country of an invoice."""
    return InvoiceModel("invoice_totals.sql", clean_invoices)


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_amounts(invoice_totals: Relation) -> Model:
    """The total of each invoice. One row per invoice."""
    return Model("invoice_amounts.sql", invoice_totals)


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_amount_statistics(invoice_amounts: Relation) -> Model:
    """Minimum, maximum, mean, median, mode and cut-off of the invoice amounts. One row per population and cut."""
    return Model("invoice_amount_statistics.sql", invoice_amounts)
