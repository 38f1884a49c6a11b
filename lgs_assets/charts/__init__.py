"""The report's charts: pure functions, tables in, figures out. Knows no Dagster and no database."""

from lgs_assets.charts.image import thumbnail
from lgs_assets.charts.report import render_all

__all__ = ["render_all", "thumbnail"]
