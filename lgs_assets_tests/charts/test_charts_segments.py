"""The charts of segments: every segment is named with its customers and share, in a box that its name fits."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from lgs_assets.charts import style
from lgs_assets_tests.charts.conftest import Draw, MakeFrames, Texts

ONE_CUSTOMER = (1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
CROWDED = (9000, 1, 1, 1, 2, 1, 1, 0, 0, 40)


def boxes(figure: Any) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


@pytest.mark.parametrize("sizes", [None, ONE_CUSTOMER, CROWDED], ids=["usual", "one customer", "crowded"])
@pytest.mark.parametrize("name", ["segment_treemap", "segment_grid"])
def test_every_segment_is_labelled_with_its_customers_and_share(
    name: str, sizes: Sequence[int] | None, frames: MakeFrames, draw: Draw, texts: Texts
) -> None:
    """`name, n (pct %)` of each segment is on the sheet, in its box or in the key, the empty ones too."""
    given = frames(sizes=sizes) if sizes else frames()
    written = [re.sub(r"^\d: ", "", text) for text in texts(draw(name, given))]
    for segment in given["segment_summary"].itertuples():
        assert f"{segment.segment}, {segment.customers:,} ({segment.customers_pct:.1f} %)" in written


@pytest.mark.parametrize("name", ["segment_treemap", "segment_grid"])
def test_labels_stay_inside_their_boxes(name: str, frames: MakeFrames, draw: Draw) -> None:
    """No label is cut off or runs into a neighbour's box."""
    figure = draw(name, frames())
    axes = figure.axes[0]
    for text in axes.texts:
        label = text.get_window_extent()
        around = [
            box.get_window_extent()
            for box in boxes(figure)
            if box.get_window_extent().contains(label.x0 + label.width / 2, label.y0 + label.height / 2)
        ]
        assert around
        assert all(
            box.x0 < label.x0 and label.x1 < box.x1 and box.y0 < label.y0 and label.y1 < box.y1 for box in around
        )


def test_the_areas_of_the_treemap_are_the_customers(frames: MakeFrames, draw: Draw) -> None:
    """A box twice as large stands for twice the customers; an empty segment has none."""
    given = frames(sizes=(400, 300, 200, 100, 0, 0, 0, 0, 0, 0))
    areas = np.array(sorted({box.get_width() * box.get_height() for box in boxes(draw("segment_treemap", given))}))
    assert areas / areas.sum() == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_segment_too_small_for_its_name_has_a_mark_in_the_key(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The mark in the box and in the key is the same: colour alone does not tell."""
    written = texts(draw("segment_treemap", frames()))
    assert "1" in written
    assert "1: New Customers, 56 (1.0 %)" in written


def test_the_grid_is_the_playbook(frames: MakeFrames, draw: Draw) -> None:
    """Each segment covers its rectangle of scores, and together they cover the 25 cells."""
    given = frames()
    rules = given["segment_playbook"]
    drawn = boxes(draw("segment_grid", given))
    assert sum(box.get_width() * box.get_height() for box in drawn) == 25
    for rule, box in zip(rules.itertuples(), drawn, strict=True):
        assert (box.get_x() + 0.5, box.get_y() + 0.5) == (rule.r_min, rule.f_min)
        assert (box.get_width(), box.get_height()) == (rule.r_max - rule.r_min + 1, rule.f_max - rule.f_min + 1)


def test_the_sizes_show_customers_and_revenue_with_shares(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """Largest segment first, with both shares: the largest segment is rarely the one that pays. And what was kept."""
    figure = draw("segment_sizes", frames())
    assert {"1,522 (25.9 %)", "£780k (25.9 %), 90.0 % kept", "Sales before returns"} <= set(texts(figure))
    assert any("£3.012m of sales before returns, £2.711m kept after" in text for text in texts(figure))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert (names[-1], names[0]) == ("Hibernating", "New Customers")


def test_an_empty_segment_keeps_its_bar_label(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """A segment that nobody is in is a finding, not a hole."""
    assert "0 (0.0 %)" in texts(draw("segment_sizes", frames(sizes=ONE_CUSTOMER)))


def test_names_are_plain_text(frames: MakeFrames, draw: Draw, texts: Texts) -> None:
    """The map is data: a dollar, an ampersand or a long name in it is drawn as it is written."""
    given = frames()
    odd = "Pays $5 & <more> than $4, whoever they may be"
    for table in ("segment_playbook", "segment_summary"):
        given[table] = given[table].replace({"segment": {"Champions": odd}})
    figure = draw("segment_grid", given)
    assert f"{odd}, 852 (14.5 %)" in texts(figure)
    assert not any(text.get_parse_math() for text in figure.findobj(Text))


@pytest.mark.parametrize("number", [1, 2, 10, 25])
def test_the_ramp_is_told_apart_in_grey(number: int) -> None:
    """From the best customers to the worst each colour is lighter than the one before, also on a grey printer."""
    greys = [np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for colour in style.ramp(number)]
    assert len(greys) == number
    assert all(np.diff(greys) > 0.9 / 25 / 2)


@pytest.mark.parametrize("colour", style.ramp(10))
def test_text_on_a_segments_colour_can_be_read(colour: str) -> None:
    """The contrast of a label is at least 4.5, the minimum of the WCAG for text."""

    def luminance(name: str) -> float:
        parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(name))
        return float(np.dot(list(parts), (0.2126, 0.7152, 0.0722)))

    dark, light = sorted((luminance(colour), luminance(style.ink_on(colour))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
