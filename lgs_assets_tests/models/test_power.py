"""What an experiment can detect, before it starts."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgs_assets.models import power


def test_the_tables_of_the_real_segments(real_data: Path) -> None:
    """Pounds, shares and customers needed: each population, window and start of the reference."""
    reference = pd.read_csv(real_data / "reference" / "experiments" / "power_by_segment.csv")
    assert len(reference) > 20
    for row in reference.to_dict("records"):
        found = (
            power.detectable_difference(row["sd"], row["n_now"]),
            power.customers_needed(row["sd"], row["mean"] / 10),
            power.detectable_share(row["share_buying"], row["n_now"]),
        )
        assert found == pytest.approx((row["mde_gbp"], row["n_for_10pct"], row["buy_rate_detectable"]), rel=2e-4), row


def test_the_lapsed_together_show_ten_points() -> None:
    """Of 821 customers, 41 % of whom would buy anyway, 51 % are told apart at 82 %; 71 of them cannot show it."""
    assert power.power_of_shares(0.41, 0.51, 821) == pytest.approx(0.82, abs=0.01)
    assert power.power_of_shares(0.41, 0.51, 71) < 0.2


def test_a_share_that_nothing_tells_apart() -> None:
    """Ten customers of whom all but a tenth buy anyway can show nothing."""
    assert power.detectable_share(0.9, 10) is None


@given(st.floats(1, 1e5), st.integers(4, 10**6))
def test_what_is_just_detectable_is_detected_as_often_as_asked(deviation: float, customers: int) -> None:
    """Difference, power and number of customers are one relation, whichever is asked for."""
    difference = power.detectable_difference(deviation, customers)
    assert power.power_of_means(difference, deviation, customers) == pytest.approx(power.POWER)
    assert power.customers_needed(deviation, difference) == pytest.approx(customers)


def test_no_difference_is_never_shown() -> None:
    """Not where all customers are alike either: a tenth of nothing is nothing."""
    assert (power.power_of_means(0, 0, 40), power.power_of_means(1, 0, 40)) == (0, 1)
