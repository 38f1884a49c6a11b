"""The printable report, kept: what the pages said at the end of each month."""

import dagster as dg
import pandas as pd

from lgs_assets import places
from lgs_assets.contracts.model import Relation
from lgs_assets.dashboard.queries import NotReadyError, Tables
from lgs_assets.dashboard.report import month_end
from lgs_assets.warehouse import report_archive
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.derived_asset import derived_asset
from lgs_assets.wiring.metadata import described, markdown_table

_DASHBOARD = places.ROOT / "lgs_assets" / "dashboard"
_PAGES = tuple(
    file for pattern in ("queries/*.sql", "templates/*", "static/*.css") for file in sorted(_DASHBOARD.glob(pattern))
)


@derived_asset(group="report", kinds={"postgres", "html"}, sources=_PAGES)
def monthly_reports(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    monthly_metrics: Relation,
    user_activity: Relation,
    rfm_history: Relation,
    rfm_edges: Relation,
    customer_profile: Relation,
    customer_groups: Relation,
    customer_months: Relation,
    cohort_months: Relation,
    segment_playbook: Relation,
    segment_products: Relation,
    products: Relation,
    customer_value: Relation,
    churn_risk: Relation,
    model_cards: Relation,
    model_evaluations: Relation,
    audience_members: Relation,
) -> pd.DataFrame:
    """Keeps the printable report of the last whole month: the shop and each segment. One row a month."""
    pages = Tables(warehouse.url)
    try:
        made = month_end(pages)
    except NotReadyError:
        return report_archive.held(warehouse)  # nobody has bought anything yet
    finally:
        pages.engine.dispose()
    report_archive.keep(warehouse, month=made.month, data_until=made.data_until, build=made.build, html=made.html)
    context.add_output_metadata(
        described(
            "monthly_reports",
            lambda: {
                "month": f"{made.month:%Y-%m}",
                "data until": f"{made.data_until:%Y-%m-%d %H:%M}",
                "to print it": f"lgs report --month {made.month:%Y-%m} -o report.html",
                "headline": dg.MetadataValue.md(
                    markdown_table(pd.DataFrame(made.headline, columns=["", "figure", "beside"]))
                ),
            },
            context.log.warning,
        )
    )
    return report_archive.held(warehouse)
