"""Tests of the charts. Here, before any of them imports matplotlib: it must not cache fonts in the user's home."""

from lgs_assets.charts.style import load_matplotlib
from lgs_assets.configuration import Configuration

load_matplotlib(cache=Configuration.read().state / "matplotlib")
