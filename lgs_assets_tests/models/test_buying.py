"""BG/NBD and Gamma-Gamma: the published figures of CDNOW, and what holds of every customer and every fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.models import bgnbd, gamma_gamma, likelihood
from lgs_assets.models.likelihood import FitError

FITTED = bgnbd.BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259, log_likelihood=0)


@pytest.fixture(scope="module")
def cdnow(real_data: Path) -> Any:
    """The purchase days of CDNOW's sample until the end of September 1997."""
    file = real_data / "CDNOW_sample.txt"
    if not file.exists():
        pytest.skip(f"NOT PROVEN ON CDNOW: no {file}")
    columns = ["number", "customer", "day", "units", "amount"]
    lines = pd.read_csv(file, sep=r"\s+", names=columns, dtype={"day": str})
    lines["day"] = pd.to_datetime(lines["day"])
    known = lines[lines["day"] <= "1997-09-30"]
    return known.groupby(["customer", "day"], as_index=False)["amount"].sum()


def told(days: Any) -> tuple[Any, Any, Any]:
    by_customer = days.groupby("customer")["day"]
    first, last = by_customer.min(), by_customer.max()
    t_x, observed = (last - first).dt.days / 7, (pd.Timestamp("1997-09-30") - first).dt.days / 7
    return (by_customer.size() - 1).to_numpy(float), t_x.to_numpy(), observed.to_numpy()


def test_bgnbd_is_that_of_the_paper_on_cdnow(cdnow: Any) -> None:
    """Fader, Hardie & Lee 2005, table 2; to the fourth place as other programs give it."""
    found = bgnbd.fit(*told(cdnow))
    assert [round(value, 4) for value in (found.r, found.alpha, found.a, found.b)] == [0.2426, 4.4136, 0.7929, 2.4259]
    assert found.log_likelihood == pytest.approx(-9582.43, abs=0.005)


def test_gamma_gamma_is_that_of_the_note_on_cdnow(cdnow: Any) -> None:
    """Fader & Hardie 2013: of the 946 customers who came back, the first day left out."""
    first = cdnow.groupby("customer")["day"].transform("min")
    repeated = cdnow[cdnow["day"] > first].groupby("customer")["amount"]
    found = gamma_gamma.fit(repeated.size().to_numpy(float), repeated.mean().to_numpy(float))
    assert [round(value, 3) for value in (found.p, found.q, found.gamma)] == [6.250, 3.744, 15.444]
    assert len(repeated) == 946


customers = st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0.1, 520))


def powers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda power: float(np.exp(power)))


models = st.builds(
    bgnbd.BgNbd,
    r=powers(-3, 3), alpha=powers(-2, 5), a=powers(-9, 4), b=powers(-3, 8), log_likelihood=st.just(0.0),
)  # fmt: skip


@given(models, st.lists(customers, min_size=1, max_size=5), st.floats(0.1, 104), st.floats(1.01, 4))
@settings(deadline=None)
def test_predictions_are_possible(
    model: bgnbd.BgNbd, who: list[tuple[int, float, float]], t: float, later: float
) -> None:
    """Whatever was fitted: probabilities within 0 and 1; purchases finite, not below 0, and no fewer in more time."""
    x, share, observed = (np.array(column, dtype=float) for column in zip(*who, strict=True))
    given_ = (x, np.where(x > 0, share * observed, 0), observed)
    alive = model.probability_alive(*given_)
    none = model.probability_of_none(*given_, t)
    soon, late = model.expected_purchases(*given_, t), model.expected_purchases(*given_, t * later)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert ((none >= 0) & (none <= 1)).all()
    assert np.isfinite(late).all() and (soon >= 0).all()
    assert (late >= soon * (1 - 1e-4) - 1e-6).all()


def test_expected_purchases_are_the_mean_of_simulated_ones() -> None:
    """The closed form and the simulation tell the same story: two ways to one figure."""
    who = (np.array([0.0, 2.0, 10.0]), np.array([0.0, 20.0, 38.0]), np.array([30.0, 39.0, 39.0]))
    drawn = FITTED.draw_purchases(*who, [13.0, 52.0], 200_000, np.random.default_rng(1))
    for place, t in enumerate((13.0, 52.0)):
        assert drawn[place].mean(axis=1) == pytest.approx(FITTED.expected_purchases(*who, t), rel=0.02)
        assert (drawn[place] == 0).mean(axis=1) == pytest.approx(FITTED.probability_of_none(*who, t), abs=0.01)


def test_a_window_may_begin_after_the_last_day_observed() -> None:
    """What lies between is not counted, and who leaves in it does not come back: as simulated."""
    who = (np.array([0.0, 2.0, 10.0]), np.array([0.0, 20.0, 38.0]), np.array([30.0, 39.0, 39.0]))
    later = FITTED.draw_purchases(*who, [13.0, 52.0], 200_000, np.random.default_rng(1), after=6.0)
    for place, t in enumerate((13.0, 52.0)):
        assert later[place].mean(axis=1) == pytest.approx(FITTED.expected_between(*who, t, after=6.0), rel=0.02)
        none = FITTED.probability_of_none(*who, t, after=6.0)
        assert (later[place] == 0).mean(axis=1) == pytest.approx(none, abs=0.01)
        assert (none > FITTED.probability_of_none(*who, t)).all()
        assert FITTED.probability_of_none(*who, t, after=1e-9) == pytest.approx(FITTED.probability_of_none(*who, t))
        assert (FITTED.expected_between(*who, t, after=0.0) == FITTED.expected_purchases(*who, t)).all()


def test_a_customer_who_came_once_is_taken_to_be_alive() -> None:
    """There was no second purchase to leave after."""
    assert FITTED.probability_alive(np.array([0.0]), np.array([0.0]), np.array([39.0])) == [1.0]


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=2)
def test_a_fit_does_not_depend_on_the_order_of_customers(seed: int) -> None:
    """The same bytes: what is fitted is the same set of customers."""
    generator = np.random.default_rng(3)
    x = generator.poisson(generator.gamma(1, 2, 300)).astype(float)
    observed = generator.integers(10, 60, 300).astype(float)
    t_x = np.where(x > 0, np.floor(observed * generator.random(300)), 0)
    m = generator.gamma(4, 5, 300)
    order = np.random.default_rng(seed).permutation(300)
    assert bgnbd.fit(x, t_x, observed) == bgnbd.fit(x[order], t_x[order], observed[order])
    assert gamma_gamma.fit(x + 1, m) == gamma_gamma.fit(x[order] + 1, m[order])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_spending_is_fitted_in_any_currency(scale: float) -> None:
    """Only the unit of gamma changes."""
    generator = np.random.default_rng(5)
    x, m = generator.integers(1, 20, 400).astype(float), generator.gamma(3, 10, 400)
    one, other = gamma_gamma.fit(x, m), gamma_gamma.fit(x, m * scale)
    assert (other.p, other.q, other.gamma / scale) == pytest.approx((one.p, one.q, one.gamma), rel=1e-4)


def test_a_whale_is_drawn_to_the_others_only_as_far_as_little_is_known() -> None:
    """One purchase of a million is expected to be followed by less; a hundred of them by about the same."""
    model = gamma_gamma.GammaGamma(p=6.25, q=3.744, gamma=15.444, log_likelihood=0)
    once, often = model.expected_mean(np.array([1.0, 100.0]), np.array([1e6, 1e6]))
    assert once < 0.75e6
    assert often == pytest.approx(1e6, rel=0.01)


def test_a_search_begins_again_elsewhere() -> None:
    """A likelihood that cannot be computed at the first start is found from the next."""

    def only_below(parameters: Any) -> tuple[float, Any]:
        if parameters[0] > 0.5:
            return float("nan"), np.zeros(1)
        return -((np.log(parameters[0]) + 1.5) ** 2), -2 * (np.log(parameters) + 1.5) / parameters

    (found,), value = likelihood.maximised(only_below, parameters=1, scale=1)
    assert np.log(found) == pytest.approx(-1.5, abs=1e-4)
    assert value == pytest.approx(0, abs=1e-6)


def test_what_has_no_maximum_is_said() -> None:
    """Rather than a figure that is none."""
    with pytest.raises(FitError, match="no maximum that can be found"):
        likelihood.maximised(lambda _: (float("nan"), np.zeros(1)), parameters=1, scale=1)


def test_a_fit_that_runs_away_is_none() -> None:
    """Nobody has bought again, on one day or over two years: how often they buy cannot be told."""
    nothing = np.zeros(600)
    for weeks in (np.random.default_rng(1).integers(1, 100, 600).astype(float), nothing):
        with pytest.raises(FitError):
            bgnbd.fit(nothing, nothing, weeks)


def test_customers_who_are_all_alike_are_a_limit_that_is_fitted() -> None:
    """Nobody leaves; all buy at one rate; each pays a price of their own, or all the same: parameters are endless."""
    generator = np.random.default_rng(1)
    observed, often = generator.integers(20, 100, 600).astype(float), generator.integers(1, 9, 600).astype(float)
    bought = generator.poisson(generator.gamma(2, 0.1, 600) * observed).astype(float)
    loyal = bgnbd.fit(bought, np.where(bought > 0, observed, 0), observed)
    assert loyal.probability_alive(bought, np.where(bought > 0, observed, 0), observed).min() > 0.99
    assert loyal.r / loyal.alpha == pytest.approx(0.2, rel=0.1)
    evenly = np.round(0.2 * observed)
    even = bgnbd.fit(evenly, observed - 1, observed)
    assert even.r / even.alpha == pytest.approx(0.2, rel=0.05)
    for means in (np.full(600, 10.0), generator.choice([10.0, 20.0, 35.0], 600)):
        assert gamma_gamma.fit(often, means).expected_mean(often, means) == pytest.approx(means, rel=0.01)
