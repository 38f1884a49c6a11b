"""Scales: bars hold what they should hold, and an axis always has ticks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from lgs_assets.charts.scales import BOTH_SIDES, LINEAR, LOG, Scale, even_bars

pence = st.integers(-(10**9), 10**9).map(lambda value: value / 100)


@settings(deadline=None)
@given(pence, pence)
def test_even_bars_hold_both_ends(one: float, other: float) -> None:
    """Bars of a round width, not too many and not too few, reach at least from end to end."""
    low, high = min(one, other), max(one, other)
    edges = even_bars(low, high, 75)
    assert edges[0] <= low
    assert high <= edges[-1] * (1 + 1e-12) + 1e-9
    assert 2 <= len(edges) <= 75 * 2


@settings(deadline=None)
@given(pence, pence)
def test_bars_on_a_scale_hold_both_ends(one: float, other: float) -> None:
    """The smallest and the largest amount are in a bar, whatever rounding the logarithm brings."""
    low, high = min(one, other), max(one, other)
    edges = BOTH_SIDES.bars(low, high, 75)
    assert (edges[0] <= low, high <= edges[-1], len(edges)) == (True, True, 76)
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        (BOTH_SIDES, -168469.6, 168469.6),
        (LOG, 0.19, 168469.6),
        (LOG, 24.9, 25.1),
        (BOTH_SIDES, 3, 4),
        (LINEAR, -370, 600),
    ],
)
def test_an_axis_has_at_least_two_ticks(scale: Scale, low: float, high: float) -> None:
    """A wide axis has the powers of ten, a narrow one whatever it takes to read it."""
    axes = Figure().add_subplot()
    scale.lay(axes, low, high)
    start, end = axes.get_xlim()
    assert sum(start <= tick <= end for tick in axes.get_xticks()) >= 2
