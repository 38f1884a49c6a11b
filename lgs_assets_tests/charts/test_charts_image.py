"""Previews: small files of the requested width."""

import io

import pytest
from PIL import Image

from lgs_assets.charts.families.customer_charts import FAMILY
from lgs_assets.charts.image import thumbnail
from lgs_assets.charts.report import render


@pytest.fixture(scope="module")
def png(frames):
    """The chart with the most in it."""
    return render(FAMILY.charts[:1], frames())["png"][0]


@pytest.mark.parametrize("width", [1, 320, 900])
def test_a_thumbnail_has_its_width_and_is_small(png, width):
    """A preview is kept for ever in the event log: it has the proportions of the chart, and is small."""
    small = thumbnail(png, width)
    with Image.open(io.BytesIO(small)) as image:
        assert image.format == "PNG"
        assert image.size == (width, max(1, round(width * 896 / 1600)))
    assert len(small) < 50_000


def test_a_thumbnail_is_the_same_each_time(png):
    """The same chart makes the same preview."""
    assert thumbnail(png, 320) == thumbnail(png, 320)
