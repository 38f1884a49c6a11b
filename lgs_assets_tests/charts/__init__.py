"""Tests of the charts. Here, before any of them imports matplotlib: it must not cache fonts in the user's home."""

from lgs_assets import project
from lgs_assets.charts.style import load_matplotlib

load_matplotlib(cache=project.state() / "matplotlib")
