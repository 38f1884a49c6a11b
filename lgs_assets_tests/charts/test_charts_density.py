"""The kernel density: an area of 1, the same as the plain sum of kernels, and fast."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.charts.density import bandwidth, density

varied = st.lists(st.floats(0, 1000).map(lambda value: round(value, 2)), min_size=2, max_size=200).filter(
    lambda values: len(set(values)) > 1
)


@settings(deadline=None)
@given(varied)
def test_the_area_is_one(values: list[float]) -> None:
    """A density is a share of all: nothing leaks out at the ends."""
    at, height = density(np.array(values), low=0, high=1000)
    assert np.sum(height) * (at[1] - at[0]) == pytest.approx(1)
    assert (height >= 0).all()


def test_counting_in_cells_is_as_good_as_summing_kernels() -> None:
    """The short way agrees with the definition, its kernels reflected at both ends, to a part in a thousand."""
    values = np.random.default_rng(5).gamma(2, 100, 400).clip(0, 700)
    at, height = density(values, low=0, high=700)
    width = bandwidth(values)
    images = np.concatenate([values, -values, 1400 - values])
    exact = np.exp(-0.5 * ((at[:, None] - images) / width) ** 2).sum(axis=1) / (
        len(values) * width * np.sqrt(2 * np.pi)
    )
    assert height == pytest.approx(exact, abs=exact.max() / 1000)


def test_the_bandwidth_is_silvermans() -> None:
    """A worked example: 32 values from 0 to 31, whose spread is the interquartile range's."""
    values = np.arange(32.0)
    assert bandwidth(values) == pytest.approx(0.9 * min(values.std(ddof=1), 15.5 / 1.34) / 2)


def test_values_that_mostly_agree_still_have_a_bandwidth() -> None:
    """An interquartile range of 0 leaves the standard deviation; no difference at all leaves nothing."""
    assert bandwidth(np.array([15.0] * 9 + [40.0])) > 0
    assert bandwidth(np.array([15.0])) == 0


def test_many_values_take_no_longer() -> None:
    """Fifty thousand invoices are a moment's work."""
    values = np.random.default_rng(5).uniform(0, 700, 50_000)
    start = time.process_time()
    density(values, low=0, high=700)
    assert time.process_time() - start < 0.5
