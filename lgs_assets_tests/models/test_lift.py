"""What a campaign changed, by re-randomising: right as often as it says, and never shaken by how the rows lie."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.splits import differences_of_splits
from lgs_assets.models.adjusted import ratio
from lgs_assets.models.judging import LEVEL, is_mismatched, loss_p, mismatch_p
from lgs_assets.models.lift import Difference, differences, differences_of_parts
from lgs_assets.models.looks import level_foreseen, look_levels
from lgs_assets.models.redraw import Experiment

SPLITS = 400


def drawn(generator: np.random.Generator, customers: int, *, size: int = 4) -> Experiment:
    """Blocks of `size` with half of each treated; the odd one of the last block is drawn."""
    blocks = np.arange(customers) // size
    treated = np.zeros(customers, bool)
    for block in range(blocks[-1] + 1):
        members = generator.permutation(np.flatnonzero(blocks == block))
        odd = len(members) % 2 and generator.random() < 0.5
        treated[members[: len(members) // 2 + int(odd)]] = True
    return Experiment(blocks, treated, 0.5)


def shop(generator: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray]:
    """Past and later sales as retailers have them: most spend nothing, a few very much, by past sales in order."""
    past = generator.lognormal(5, 1.5, customers) * (generator.random(customers) < 0.6)
    return (past := -np.sort(-past)), past * generator.lognormal(-0.5, 1, customers) * (
        generator.random(customers) < 0.5
    )


def net(experiment: Experiment, sales: np.ndarray, past: np.ndarray, *, seed: int = 1, draws: int = 399) -> Difference:
    outcomes, covariates = pd.DataFrame({"net": sales}), pd.DataFrame({"past": past})
    return differences(experiment, outcomes, covariates, seed=seed, draws=draws)["net"]


@pytest.mark.parametrize("lift", [0.0, 0.2])
def test_right_as_often_as_it_says(lift: float) -> None:
    """Of many draws with no lift about 5 % look like one; the interval holds the true lift in about 95 %."""
    generator = np.random.default_rng(7)
    false_alarms = covered = 0
    for seed in range(SPLITS):
        experiment = drawn(generator, 150)
        past, sales = shop(generator, 150)
        found = net(experiment, np.where(experiment.treated, sales * (1 + lift), sales), past, seed=seed, draws=199)
        false_alarms += found.p_value <= 0.05
        covered += found.low <= lift * sales.mean() <= found.high
    assert 0.92 <= covered / SPLITS <= 0.98
    assert lift or 0.025 <= false_alarms / SPLITS <= 0.08


@pytest.mark.parametrize("customers", [2, 3, 5, 9])
def test_few_customers_are_not_adjusted(customers: int) -> None:
    """So many covariates would explain the arms in full: what is told is the plain difference."""
    generator = np.random.default_rng(5)
    treated = np.arange(customers) % 2 == 0
    sales = np.arange(customers, dtype=float)
    past = pd.DataFrame(generator.normal(size=(customers, 4)))
    found = differences(
        Experiment(np.zeros(customers), treated, 0.5), pd.DataFrame({"net": sales}), past, seed=1, draws=99
    )["net"]
    assert found.estimate == pytest.approx(sales[treated].mean() - sales[~treated].mean())


def test_the_past_makes_it_sharper() -> None:
    """Adjusted for past sales, which say much of later ones, the interval is less than half as wide."""
    generator = np.random.default_rng(3)
    experiment, past = drawn(generator, 400), np.sort(generator.lognormal(5, 1, 400))
    sales = past * generator.lognormal(0, 0.1, 400) + 20 * experiment.treated
    blind = replace(experiment, blocks=np.zeros(400))
    plain, adjusted = net(blind, sales, np.zeros(400)), net(blind, sales, past)
    assert adjusted.high - adjusted.low < (plain.high - plain.low) / 2
    assert adjusted.low < 20 < adjusted.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(16, 60))
def test_unadjusted_it_is_the_difference_of_means(seed: int, customers: int) -> None:
    """Without covariates nothing is modelled; and a pound more for each treated customer is a pound more found."""
    generator = np.random.default_rng(seed)
    experiment = drawn(generator, customers)
    past, sales = shop(generator, customers)
    found = net(experiment, sales, np.zeros(customers), draws=99)
    assert found.estimate == pytest.approx(found.treated - found.control)
    more = net(experiment, sales + experiment.treated, np.zeros(customers), draws=99)
    assert more.estimate - found.estimate == pytest.approx(1)
    assert (more.low, more.high) == pytest.approx((found.low + 1, found.high + 1), abs=1e-6 * (1 + past.max()))
    assert found.low <= found.estimate <= found.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(16, 60))
def test_an_interval_ends_where_effects_begin_to_be_rejected(seed: int, customers: int) -> None:
    """An effect just inside, taken off the treated, leaves what chance explains; one just outside does not."""
    generator = np.random.default_rng(seed)
    experiment = drawn(generator, customers)
    _, sales = shop(generator, customers)
    found = net(experiment, sales, np.zeros(customers), draws=199)
    step = (1 + sales.max()) / 1e5
    for end, outwards in ((found.low, -step), (found.high, step)):
        if np.isfinite(end) and found.low < found.high:
            inside, outside = (
                net(experiment, sales - effect * experiment.treated, np.zeros(customers), draws=199).p_value
                for effect in (end - outwards, end + outwards)
            )
            assert outside <= LEVEL < inside


@pytest.mark.parametrize(("share", "size"), [(0.5, 4), (0.95, 20)])
def test_the_interval_of_buyers_holds_with_a_small_control_group(share: float, size: int) -> None:
    """Nine of ten buy anyway, and most of the others are won over: the arms vary unlike, and 95 of 100 hold it."""
    generator = np.random.default_rng(12)
    customers = size * 40
    bought = generator.random(customers) < 0.9
    won_over = ~bought & (generator.random(customers) < 0.8)
    splits = []
    for _ in range(SPLITS):
        lots = generator.random((40, size)).argsort(axis=1)
        experiment = Experiment(np.arange(customers) // size, (lots < size * share).ravel(), share)
        splits.append((experiment, pd.DataFrame({"bought": bought | won_over & experiment.treated})))
    told = differences_of_splits(splits, pd.DataFrame({"none": np.zeros(customers)}), seed=1, draws=399)
    covered = 0
    for found in (each["bought"] for each in told):
        covered += found.low <= won_over.mean() <= found.high
        assert -1 <= found.low <= found.estimate <= found.high <= 1
        assert (found.low <= 0 <= found.high) == (found.p_value > LEVEL)
    assert covered / SPLITS >= 0.93


def test_many_splits_at_once_are_as_each_alone() -> None:
    """With the same other draws, whatever the others are: what the benchmark measures is what reports tell."""
    generator = np.random.default_rng(6)
    past, sales = shop(generator, 90)
    covariates = pd.DataFrame({"past": past})
    splits = [(drawn(generator, 90), pd.DataFrame({"net": sales * lift, "half": sales / 2})) for lift in (1, 2, 3)]
    together = differences_of_splits(splits, covariates, seed=9, levels={"half": 0.01}, draws=199)
    for (experiment, outcomes), found in zip(splits, together, strict=True):
        alone = differences(experiment, outcomes, covariates, seed=9, levels={"half": 0.01}, draws=199)
        for name in ("net", "half"):
            assert asdict(found[name]) == pytest.approx(asdict(alone[name]))
        assert found["half"].high - found["half"].low > (found["net"].high - found["net"].low) / 8


def test_a_part_of_everybody_is_as_everybody() -> None:
    """And parts of it are told from the same draws, whatever other parts there are."""
    generator = np.random.default_rng(4)
    experiment, (past, sales) = drawn(generator, 60), shop(generator, 60)
    covariates, outcomes = pd.DataFrame({"past": past}), pd.DataFrame({"net": sales})
    everybody, some = np.ones(60, bool), np.arange(60) % 3 > 0
    found = differences_of_parts(
        experiment, {"all": (everybody, outcomes), "some": (some, outcomes[some])}, covariates, seed=1, draws=399
    )
    assert found["all"]["net"] == net(experiment, sales, past)
    alone = differences_of_parts(experiment, {"some": (some, outcomes[some])}, covariates, seed=1, draws=399)
    assert found["some"] == alone["some"]


def test_the_arms_of_a_part_are_drawn_with_those_of_all() -> None:
    """Two of each block of four are in it: in 2 of the 34 draws of 36 with both arms, one block is treated as a whole.

    Blocks cut down to the part would always treat one of two, and call what was drawn impossible.
    """
    experiment = Experiment(np.repeat([0, 1], 4), np.array([1, 1, 0, 0, 0, 0, 1, 1], bool), 0.5)
    members = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    outcomes, covariates = pd.DataFrame({"net": [1.0, 1, 0, 0]}), pd.DataFrame({"past": np.zeros(8)})
    parts = {"part": (members, outcomes)}
    found = differences_of_parts(experiment, parts, covariates, seed=1, draws=4_999)["part"]["net"]
    assert (found.estimate, found.control, found.treated) == (1, 0, 1)
    assert found.p_value == pytest.approx(2 / 34, abs=0.015)


def test_a_second_run_says_the_same() -> None:
    """One seed, one answer."""
    generator = np.random.default_rng(5)
    experiment = drawn(generator, 100)
    past, sales = shop(generator, 100)
    assert net(experiment, sales, past) == net(experiment, sales, past)


def test_an_outcome_that_never_differs() -> None:
    """All the same: no difference, no division by its spread, and no effect that would be contradicted."""
    found = net(drawn(np.random.default_rng(1), 20), np.full(20, 5.0), np.zeros(20))
    assert (found.estimate, found.low, found.high, found.p_value) == (0, -np.inf, np.inf, 1)


def test_too_few_to_ever_contradict_anything() -> None:
    """A block of four has six draws, none rarer than a third: any effect is as good as any other, and that is said."""
    found = net(drawn(np.random.default_rng(1), 4), np.array([1.0, 2, 3, 4]), np.zeros(4))
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_an_empty_arm_is_refused() -> None:
    """There is nothing to compare with."""
    with pytest.raises(ValueError, match="one of them is empty"):
        Experiment(np.zeros(3), np.zeros(3, bool), 0.5)


def test_a_missing_value_is_refused() -> None:
    """The outcome is named: nobody is left out in silence."""
    experiment = drawn(np.random.default_rng(1), 8)
    with pytest.raises(ValueError, match="net: every customer needs a number"):
        net(experiment, np.array([np.nan, *np.ones(7)]), np.zeros(8))


def test_a_ratio_differs_as_its_sums_do() -> None:
    """Sales an order: to first order, the arms' means are the ratios of the arms' sums."""
    generator = np.random.default_rng(2)
    orders = generator.integers(1, 4, 4000).astype(float)
    sales, half = orders * generator.normal(100, 10, 4000), np.arange(4000) % 2 == 0
    values = ratio(sales, orders)
    exact = sales[half].sum() / orders[half].sum() - sales[~half].sum() / orders[~half].sum()
    assert values[half].mean() - values[~half].mean() == pytest.approx(exact, abs=0.02)
    assert values.mean() == pytest.approx(sales.sum() / orders.sum())


def test_declared_looks_keep_the_level() -> None:
    """At four looks at 5 % each, one draw in ten would show an effect that does not exist; declared, at most 6 %."""
    generator = np.random.default_rng(11)
    shown = peeked = 0
    for seed in range(SPLITS):
        experiment = drawn(generator, 80)
        months = [shop(generator, 80) for _ in range(4)]
        known = pd.DataFrame(np.cumsum([sales for _, sales in months], axis=0).T)
        past = pd.DataFrame({"past": months[0][0]})
        levels = look_levels(experiment, known, past, [0.25, 0.5, 0.75, 1], seed=seed, draws=199)
        found = differences(experiment, known, past, seed=seed, draws=199)
        p_values = [found[str(look)].p_value for look in known]
        shown += any(p_value <= level for p_value, level in zip(p_values, levels, strict=True))
        peeked += any(p_value <= 0.05 for p_value in p_values)
    assert shown / SPLITS <= 0.06 < 0.075 < peeked / SPLITS


@pytest.mark.parametrize(("passed", "level"), [([0.5], 0.0478), ([85 / 90], 0.0371), ([1 / 3, 85 / 90], 0.0377)])
def test_a_late_look_leaves_most_of_the_level(passed: list[float], level: float) -> None:
    """It says nearly what the end says, so that both together err little more often than one. By 2 million normals."""
    assert level_foreseen(passed) == pytest.approx(level, abs=0.0006)


def test_looks_spend_little_before_the_end() -> None:
    """One look has all of the level; of several, earlier ones have less, and those until now do not depend on later."""
    generator = np.random.default_rng(4)
    experiment, nothing = drawn(generator, 200), pd.DataFrame({"past": np.zeros(200)})
    known = pd.DataFrame(generator.normal(size=(200, 3)).cumsum(axis=1))
    assert look_levels(experiment, known[[2]], nothing, [1.0], seed=1, draws=1999) == [0.05]
    levels = look_levels(experiment, known, nothing, [1 / 3, 2 / 3, 1.0], seed=1, draws=1999)
    assert levels == sorted(levels) and levels[0] < 0.002 and 0.04 < levels[-1] < 0.05
    assert look_levels(experiment, known[[0, 1]], nothing, [1 / 3, 2 / 3], seed=1, draws=1999) == levels[:2]


@pytest.mark.parametrize("buyers", [0, 1])
def test_looks_at_what_never_differs(buyers: int) -> None:
    """Nothing shows: where all draws are alike, none of them is rare."""
    experiment, nothing = drawn(np.random.default_rng(4), 40), pd.DataFrame({"past": np.zeros(40)})
    known = pd.DataFrame({look: np.arange(40) < buyers for look in (30, 60)}).astype(float)
    assert look_levels(experiment, known, nothing, [0.5, 1.0], seed=1, draws=199) == [0, 0]


def test_the_interval_holds_what_treating_everybody_would_have_changed() -> None:
    """Also where it changes some customers and not others; of a few, the mean of those drawn may lie outside."""
    generator = np.random.default_rng(3)
    alone = np.isin(np.arange(20), [1, 4, 7, 10, 14, 18])  # they buy anyway; a call wins all others over
    covered = 0
    for seed in range(SPLITS):
        experiment = drawn(generator, 20)
        found = net(experiment, alone | experiment.treated, np.zeros(20), seed=seed, draws=199)
        covered += found.low <= 0.7 + 1e-9 and found.high >= 0.7 - 1e-9
    assert covered / SPLITS >= 0.93


def test_arms_that_are_not_as_assigned() -> None:
    """A few less are chance; a tenth of an arm that is missing is not."""
    shares = {"control": 0.5, "call": 0.5}
    assert mismatch_p({"control": 400, "call": 395}, shares) > 0.5
    assert mismatch_p({"control": 4000, "call": 3600}, shares) < 0.001
    assert mismatch_p({"control": 0, "call": 0}, shares) == 1


def test_losses_that_chance_does_not_make_so_unlike() -> None:
    """A tenth of one arm, and nobody of the other, leaves both near their sizes, and is no chance all the same."""
    drawn, shares = {"control": 400, "call": 400}, {"control": 0.5, "call": 0.5}
    assert mismatch_p({"control": 400, "call": 360}, shares) > 0.1
    assert loss_p({"control": 0, "call": 40}, drawn) < 1e-11
    assert is_mismatched({"control": 400, "call": 360}, drawn, shares)
    assert not is_mismatched({"control": 385, "call": 375}, drawn, shares)
    assert loss_p({"control": 1, "call": 0}, {"control": 5, "call": 95}) == pytest.approx(0.05)
    assert loss_p({"control": 0, "call": 0}, drawn) == 1


@pytest.mark.parametrize("blocks", [2, 6])
def test_blocks_in_which_all_did_the_same_end(blocks: int) -> None:
    """Every draw shows the same difference, none: how many blocks there are, nothing is known of an effect."""
    block = np.repeat(np.arange(blocks), 2)
    frame = pd.DataFrame({"bought": block % 2 > 0})
    told = differences(Experiment(block, np.tile([True, False], blocks), 0.5), frame, frame[[]], seed=1)["bought"]
    assert (told.estimate, told.low, told.high) == (0, -np.inf, np.inf)


@pytest.mark.parametrize("other", [0, 5, 50])
@pytest.mark.parametrize("seed", range(4))
def test_an_arm_that_the_covariates_all_but_explain_is_not_adjusted(seed: int, other: int) -> None:
    """One of twenty is left alone, and alone spent much in the last year: to adjust would divide by next to nothing."""
    generator = np.random.default_rng(seed)
    treated, spend = np.arange(20) > 0, generator.lognormal(5, 1, 20)
    past = pd.DataFrame({"rate": spend / 365, "last_year": np.where(treated, 0.0, 1000.0)})
    past.loc[1, "last_year"] = other
    sales = np.where(treated, generator.lognormal(5, 1, 20), 0)
    found = differences(
        Experiment(np.zeros(20), treated, 0.95), pd.DataFrame({"net": sales, "bought": treated}), past, seed=23
    )
    assert found["net"].estimate == pytest.approx(sales[treated].mean())
    for each in found.values():
        assert each.p_value >= 0.04  # one draw of twenty
        assert each.low <= each.estimate <= each.high


@pytest.mark.parametrize(("buyers", "low"), [([], -0.116), ([0], -0.082), (range(60), -0.116)])
def test_nobody_bought_does_not_mean_that_nobody_would(buyers: Sequence[int], low: float) -> None:
    """Of thirty who did not buy one in nine might have: an interval of nothing at all would be certain of nothing."""
    treated = np.arange(60) % 2 == 0
    frame = pd.DataFrame({"bought": np.isin(np.arange(60), buyers)})
    found = differences(Experiment(np.arange(60) // 4, treated, 0.5), frame, frame[[]], seed=1)["bought"]
    assert found.p_value == 1
    assert found.low == pytest.approx(low, abs=0.001)
    assert found.high == pytest.approx(0.083 if len(buyers) == 1 else 0.116, abs=0.001)


def test_the_interval_holds_what_stops_the_few_who_buy() -> None:
    """Three of sixty buy anyway, and none once treated: one draw in eight shows no buyer at all, and holds it, too."""
    generator = np.random.default_rng(2)
    alone = np.isin(np.arange(60), [5, 25, 45])
    covered = 0
    for seed in range(SPLITS):
        experiment = drawn(generator, 60)
        found = net(experiment, alone & ~experiment.treated, np.zeros(60), seed=seed, draws=199)
        covered += found.low <= -0.05 <= found.high
    assert covered / SPLITS >= 0.95
