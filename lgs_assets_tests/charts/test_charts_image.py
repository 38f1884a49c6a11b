"""Previews: small files of the requested width."""

import io

import pytest
from PIL import Image

from lgs_assets.charts.families.customer_charts import FAMILY
from lgs_assets.charts.image import thumbnail
from lgs_assets.charts.report import render
from lgs_assets_tests.charts.conftest import MakeFrames


@pytest.fixture(scope="module")
def png(frames: MakeFrames) -> bytes:
    """The chart with the most in it."""
    png: bytes = render(FAMILY.charts[:1], frames())["png"].iloc[0]
    return png


@pytest.mark.parametrize("width", [1, 320, 900])
def test_a_thumbnail_has_its_width_and_is_small(png: bytes, width: int) -> None:
    """A preview is kept for ever in the event log: it has the proportions of the chart, and is small."""
    small = thumbnail(png, width)
    with Image.open(io.BytesIO(small)) as image:
        assert image.format == "PNG"
        assert image.size == (width, max(1, round(width * 896 / 1600)))
    assert len(small) < 50_000


def test_a_thumbnail_is_the_same_each_time(png: bytes) -> None:
    """The same chart makes the same preview."""
    assert thumbnail(png, 320) == thumbnail(png, 320)
