"""The invoices: what each comes to, and how the amounts are distributed."""

from lgs_assets.contracts.model import InvoiceModel, Model, Relation
from lgs_assets.wiring.derived_asset import IN_WAREHOUSE, derived_asset


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_totals(clean_invoices: Relation) -> InvoiceModel:
    """What the lines of an invoice come to. One row for each month and customer of an invoice."""
    return InvoiceModel("invoice_totals.sql", clean_invoices=clean_invoices)


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_amounts(invoice_totals: Relation) -> Model:
    """What each invoice comes to. One row an invoice."""
    return Model("invoice_amounts.sql", invoice_totals=invoice_totals)


@derived_asset(group="invoices", kinds=IN_WAREHOUSE)
def invoice_amount_statistics(invoice_amounts: Relation) -> Model:
    """Minimum, maximum, mean, median, mode and cut-off of the invoice amounts. One row a population and cut."""
    return Model("invoice_amount_statistics.sql", invoice_amounts=invoice_amounts)
