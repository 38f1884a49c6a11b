"""The last stage: the charts of the report."""

import dagster as dg
import pandas as pd

from lgs_assets import project
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.derived_asset import derived_asset
from lgs_assets.wiring.resources import WarehouseResource


@derived_asset(
    group="report",
    kinds={"postgres", "matplotlib"},
    sources=(project.ROOT / "lgs_assets" / "charts",),
    ins={
        "invoice_amounts": dg.AssetIn(metadata={"columns": ["amount"]}),
        "rfm_scores": dg.AssetIn(metadata={"columns": ["snapshot_date", "recency_days", "frequency", "monetary"]}),
    },
)
def charts(
    invoice_amounts: pd.DataFrame,
    invoice_amount_statistics: pd.DataFrame,
    monthly_metrics: pd.DataFrame,
    user_activity: pd.DataFrame,
    rfm_scores: pd.DataFrame,
    segment_playbook: pd.DataFrame,
    segment_summary: pd.DataFrame,
    warehouse: WarehouseResource,
) -> pd.DataFrame:
    """Renders every chart of the report. One row a chart: name, title, PNG, SVG."""
    from lgs_assets.charts import render_all  # here: who draws nothing spares the half second that matplotlib takes

    is_demo = any(dump.dump == DEMO_DUMP for dump in loaded_dumps(warehouse.get()))
    return render_all(
        invoice_amounts=invoice_amounts,
        invoice_amount_statistics=invoice_amount_statistics,
        monthly_metrics=monthly_metrics,
        user_activity=user_activity,
        rfm_scores=rfm_scores,
        segment_playbook=segment_playbook,
        segment_summary=segment_summary,
        # A picture travels without its table: one of invented figures has to say so.
        **({"origin": "SYNTHETIC invoice lines, made by lgs demo-dump"} if is_demo else {}),
    )
