"""Where tea-tasting does the same thing, it finds the same, to nine digits. It knows neither blocks nor re-drawing."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt

from lgs_assets.action.experiments.outcomes import mean_of, values_of
from lgs_assets.models.judging import mismatch_p
from lgs_assets.models.lift import differences
from lgs_assets.models.multiple_testing import holm
from lgs_assets.models.redraw import Experiment

METRICS = ("bought_within", "net_revenue", "orders", "revenue_per_order")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Five hundred, of whom a third are treated, and order more."""
    generator = np.random.default_rng(8)
    treated = generator.random(500) < 1 / 3
    orders = generator.poisson(0.7 + 0.2 * treated)
    return pd.DataFrame(
        {
            "variant": treated.astype(int),
            "bought_within": (orders > 0).astype(float),
            "orders": orders.astype(float),
            "net_revenue": orders * generator.lognormal(4, 1, 500),
            "past": (orders + generator.poisson(1, 500)) * generator.lognormal(4, 1, 500),
        }
    )


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    """Of two who ordered as often, one is treated."""
    generator = np.random.default_rng(9)
    orders = np.repeat(generator.poisson(1.5, 250), 2).astype(float)
    return pd.DataFrame(
        {
            "variant": np.tile([0, 1], 250),
            "orders": orders,
            "net_revenue": orders * generator.lognormal(4, 1, 500),
            "past": orders * generator.lognormal(4, 1, 500),
        }
    )


@pytest.fixture(scope="module")
def theirs(customers: pd.DataFrame) -> tt.experiment.ExperimentResult:
    """The same metrics, without an adjustment."""
    return tt.Experiment(
        bought_within=tt.Mean("bought_within"),
        orders=tt.Mean("orders"),
        net_revenue=tt.Mean("net_revenue"),
        revenue_per_order=tt.RatioOfMeans("net_revenue", "orders"),
        sizes=tt.SampleRatio(0.5, method="norm", correction=False),
    ).analyze(customers)


@pytest.mark.parametrize("metric", METRICS)
def test_each_arm(customers: pd.DataFrame, theirs: tt.experiment.ExperimentResult, metric: str) -> None:
    """Means of customers, and the ratio of two."""
    for arm, of_arm in enumerate(("control", "treatment")):
        found = mean_of(metric, customers[customers["variant"] == arm])  # type: ignore[arg-type]
        assert found == pytest.approx(getattr(theirs[metric], of_arm), rel=1e-9)


@pytest.mark.parametrize("metric", METRICS[:3])
def test_differences(customers: pd.DataFrame, theirs: tt.experiment.ExperimentResult, metric: str) -> None:
    """Not adjusted, the estimate is theirs."""
    values = pd.DataFrame({metric: values_of(metric, customers)})  # type: ignore[arg-type]
    experiment = Experiment(np.zeros(500), customers["variant"].to_numpy(bool), 1 / 3)
    found = differences(experiment, values, pd.DataFrame({"none": np.zeros(500)}), seed=1, draws=99)
    assert found[metric].estimate == pytest.approx(theirs[metric].effect_size, rel=1e-9)


@pytest.mark.parametrize("metric", METRICS[:3])
def test_adjusted_differences(customers: pd.DataFrame, metric: str) -> None:
    """For one covariate. Theirs (CUPED) fits its slope blind to the arms, and so takes off some of what they changed.

    By how much is known: by the share of the arms that the covariate explains.
    """
    expected = theirs_adjusted(tt.Mean(metric, "past"), customers)
    assert adjusted(metric, customers) == pytest.approx(expected, rel=1e-9)
    plain = customers.groupby("variant")[metric].mean().diff()[1]
    assert adjusted(metric, customers) != pytest.approx(plain, rel=1e-3)


def test_adjusted_differences_of_a_ratio(pairs: pd.DataFrame) -> None:
    """Likewise, of arms with as many orders: then the ratio is linear, and ours is no approximation."""
    expected = theirs_adjusted(tt.RatioOfMeans("net_revenue", "orders", "past"), pairs)
    assert adjusted("revenue_per_order", pairs) == pytest.approx(expected, rel=1e-9)


def adjusted(metric: str, customers: pd.DataFrame) -> float:
    values = pd.DataFrame({metric: values_of(metric, customers)})  # type: ignore[arg-type]
    experiment = Experiment(np.zeros(len(customers)), customers["variant"].to_numpy(bool), 0.5)
    return differences(experiment, values, customers[["past"]], seed=1, draws=99)[metric].estimate


def theirs_adjusted(metric: tt.RatioOfMeans, customers: pd.DataFrame) -> float:
    """What theirs would be with a slope that knows the arms."""
    explained = np.corrcoef(customers["variant"], customers["past"])[0, 1] ** 2
    return float(tt.Experiment(metric=metric).analyze(customers)["metric"].effect_size / (1 - explained))


def test_sizes_of_arms(customers: pd.DataFrame, theirs: tt.experiment.ExperimentResult) -> None:
    """The chi-square test of two arms is the normal one."""
    sizes = customers["variant"].value_counts()
    found = mismatch_p({"control": int(sizes[0]), "call": int(sizes[1])}, {"control": 2 / 3, "call": 1 / 3})
    assert found == pytest.approx(theirs["sizes"].pvalue, rel=1e-9)


def test_several_metrics(theirs: tt.experiment.ExperimentResult) -> None:
    """Holm's correction, whatever metrics have to do with one another."""
    corrected = tt.adjust_fwer(theirs, METRICS, arbitrary_dependence=True, method="bonferroni")
    found = holm(pd.Series({metric: theirs[metric].pvalue for metric in METRICS}))
    assert found.min() < 0.5
    for row in corrected.to_dicts():
        assert found[row["metric"]] == pytest.approx(row["pvalue_adj"], rel=1e-9)
