"""What charts by product and country say of invoices that a dump holds twice in full."""

import pandas as pd

from lgs_assets.wording import counted, short_pounds


def counted_twice(months: "pd.DataFrame") -> str:
    """Which invoices of `monthly_metrics` count twice in figures by product or country; empty if none does."""
    invoices = months["doubled_orders"].sum()
    if not invoices:
        return ""
    added = short_pounds((months["sales"].astype(float) - months["sales_once"].astype(float)).sum())
    return f"Counted twice, as their dump holds them twice in full: {counted(invoices, 'invoice')}, {added} net."
