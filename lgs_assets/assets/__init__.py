"""The lineage: one software-defined asset a table, one module a stage, each asset a few lines."""

from lgs_assets.assets.charts import CHART_FAMILIES, charts
from lgs_assets.assets.clean import clean_invoices
from lgs_assets.assets.customers import rfm_scores, segment_playbook, segment_summary, segments
from lgs_assets.assets.invoices import invoice_amount_statistics, invoice_amounts, invoice_totals
from lgs_assets.assets.months import monthly_metrics, user_activity
from lgs_assets.assets.raw import raw_invoices

ALL_ASSETS = [
    raw_invoices,
    clean_invoices,
    invoice_totals,
    monthly_metrics,
    user_activity,
    invoice_amounts,
    invoice_amount_statistics,
    rfm_scores,
    segment_playbook,
    segments,
    segment_summary,
    *CHART_FAMILIES,
    charts,
]
