"""The last stage: the charts of the report, drawn family by family and put together."""

import dagster as dg
import pandas as pd

from lgs_assets import places
from lgs_assets.charts.declaration import Family
from lgs_assets.charts.report import compose, families
from lgs_assets.wiring.derived_asset import columns, derived_asset
from lgs_assets.wiring.drawings import Drawings
from lgs_assets.wiring.metadata import described

_SHARED = places.ROOT / "lgs_assets" / "charts"


def _family_asset(family: Family) -> dg.AssetsDefinition:
    """The asset of a family: it reads what its charts declare, and depends on no other family's code."""

    def draw(
        context: dg.AssetExecutionContext,
        drawings: dg.ResourceParam[Drawings],
        **tables: pd.DataFrame,
    ) -> pd.DataFrame:
        charts = drawings.of(family, tables)
        context.add_output_metadata(described(family.table, lambda: {"charts": _pictures(charts)}, context.log.warning))
        return charts

    draw.__name__, draw.__doc__ = family.table, family.description
    return derived_asset(
        group="report",
        kinds={"postgres", "matplotlib"},
        sources=(_SHARED, family.file),
        ins={table: columns(*names) for table, names in family.reads.items()},
    )(draw)


CHART_FAMILIES = [_family_asset(family) for family in families()]


@derived_asset(
    group="report",
    kinds={"postgres"},
    sources=(_SHARED / "report.py",),
    ins={family.table: dg.AssetIn() for family in families()},
)
def charts(**parts: pd.DataFrame) -> pd.DataFrame:
    """Every chart of the report, in order. One row per chart: name, position, title, PNG, SVG."""
    return compose(parts)


def _pictures(charts: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """The charts below each other, for the UI."""
    from lgs_assets.charts.image import preview  # here: only this needs a library for pictures

    pictures = zip(charts["title"], charts["name"], charts["png"], strict=True)
    return dg.MetadataValue.md("\n\n".join(f"**{title}**\n\n{preview(png, name)}" for title, name, png in pictures))
