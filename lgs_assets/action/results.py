"""What a campaign changed: the arms as they were drawn, compared once the data covers the window of every customer.

Until then no figure is told, so that nobody can stop at a good one; the exception is an effect shown at a declared
look. Everybody who was assigned counts, whether reached or not. Words of it are the subject of `experiment_words`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite

import numpy as np
import pandas as pd
from psycopg import sql

from lgs_assets.action.experiments import (
    CONTROL,
    MONEY,
    Declaration,
    Metric,
    State,
    covered_until,
    read_state,
    states,
)
from lgs_assets.action.outcomes import COVARIATES, EXACT, adjusted, mean_of, outcomes, values_of
from lgs_assets.models.lift import DRAWS, LEVEL, MISMATCH, Difference, Experiment, differences, look_levels, mismatch_p
from lgs_assets.models.multiple_testing import holm
from lgs_assets.models.power import power_of_means, power_of_shares
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor

ALL = "all"
LEAST_OF_SEGMENT = 20
"""Customers of a segment below which it is not told apart."""

_CAPPED = "net_revenue, capped"


@dataclass(frozen=True)
class Result:
    """A metric of the treated against the control group."""

    metric: Metric
    role: str
    """primary, secondary or by segment."""
    segment: str
    """ALL, or the one segment that is compared."""
    customers: dict[str, int]
    """By arm."""
    difference: Difference
    """In pounds, orders or shares, uncapped. That of a ratio is linearised, so not quite that of the arms' ratios."""
    capped: Difference | None
    """Net revenue with no customer counted beyond the cap set at the start, by which it is judged; None of others."""
    corrected_p: float | None
    """Of a secondary metric: corrected for their number by Holm's method."""
    level: float = LEVEL
    """The p-value up to which an effect shows: less than LEVEL where declared looks share it."""

    @property
    def judged(self) -> Difference:
        """What the verdict is on: whether there is an effect, and of which sign."""
        return self.capped or self.difference

    @property
    def p_value(self) -> float:
        """How often the draw alone makes a difference as large as the one that is judged."""
        return self.judged.p_value

    @property
    def shows(self) -> bool:
        """Whether chance alone is an unlikely reason; a secondary metric answers for its number."""
        return (self.p_value if self.corrected_p is None else self.corrected_p) <= self.level


@dataclass(frozen=True)
class Returned:
    """What an arm did within the window, with nothing taken off."""

    customers: int
    buyers: int
    net_revenue: Decimal | None
    """In pounds; None until late returns are known."""


@dataclass(frozen=True)
class Look:
    """A declared look before the end at which an effect shows."""

    days: int
    """Days of each customer's window that were compared."""
    result: Result


@dataclass(frozen=True)
class Analysis:
    """An experiment, and what is known of it by now."""

    state: State
    covered_until: date
    """The first day that the data does not cover: that of the last invoice, which need not be over."""
    due: dict[Metric, date]
    """From which day on each declared metric can be told, the primary first."""
    results: tuple[Result, ...]
    """Of what is due: the primary metric, the secondary ones, and the primary by segment. None before the primary."""
    look: Look | None
    """The first declared look at which an effect of the primary metric shows; None before, or without any."""
    looked: int | None
    """Days of the window that the last look so far compared, whatever it found; None before, or without any."""
    returned: dict[str, Returned]
    """By arm, once the primary metric is due."""
    pounds_due: date
    """From which day on what they spent can be told."""
    analysable: dict[str, int]
    """By arm: those assigned whom the data still knows."""
    power: float | None
    """How likely the declared change was to show, by the data as it came; None until the primary metric is due."""
    is_mismatched: bool
    """Whether the arms, as they can be analysed, are not of the sizes that were drawn. Then there are no results."""

    @property
    def primary(self) -> Result | None:
        """The result by which the experiment is judged; None until it is due."""
        return next((result for result in self.results if result.role == "primary"), None)


def analyse(warehouse: Warehouse, name: str, *, draws: int = DRAWS) -> Analysis:
    """What is known of an experiment by now. Raises LgsError if there is none of that name."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, "experiments")  # who starts or stops one waits: all that is read belongs together
        cursor.execute("lock table invoice_totals, returns, customer_profile in access share mode")
        found = read_state(cursor, name)
        declared = found.declaration
        metrics: tuple[Metric, ...] = (declared.primary.metric, *declared.secondary)
        due = {metric: found.due_of(metric) for metric in metrics}
        pounds_due = found.due_of("net_revenue")
        covered = covered_until(cursor) or found.begins
        analysable = _analysable(cursor, found)
        mismatched = not all(analysable.values()) or mismatch_p(analysable, _shares(declared)) < MISMATCH
        is_due = due[declared.primary.metric] <= covered
        ready = [metric for metric in metrics if due[metric] <= covered] if is_due else []
        looks = [days for days in declared.looks if found.due_of(declared.primary.metric, after=days) <= covered]
        analysis = Analysis(
            found, covered, due, results=(), look=None, looked=max(looks, default=None), returned={},
            pounds_due=pounds_due, analysable=analysable, power=None, is_mismatched=mismatched,
        )  # fmt: skip
        if mismatched or not (ready or looks):
            return analysis
        spans = {days: _frame(cursor, found, days, with_late_returns=_pays(declared)) for days in looks}
        frame = _frame(cursor, found, declared.primary.days, with_late_returns=pounds_due <= covered) if ready else None
    primary = declared.primary.metric
    if frame is not None:
        spans[declared.primary.days] = frame
    levels = _levels(spans, found, draws=draws)
    early = (
        Look(days, _compare(spans[days], found, [primary], segment=ALL, draws=draws, level=levels[days])[0])
        for days in looks
        if levels[days]
    )
    analysis = replace(analysis, look=next((look for look in early if look.result.shows), None))
    if frame is None:
        return analysis
    told = _compare(frame, found, ready, segment=ALL, draws=draws, level=levels[declared.primary.days])
    for segment, members in frame.groupby("segment", sort=True):
        if members["arm"].nunique() == 2 and LEAST_OF_SEGMENT <= len(members) < len(frame):
            told += _compare(members, found, [primary], segment=str(segment), draws=draws)
    returned = {
        str(arm): Returned(
            len(members),
            int(members["bought_within"].sum()),
            sum(members[EXACT], Decimal(0)) if pounds_due <= covered else None,
        )
        for arm, members in frame.groupby("arm")
    }
    return replace(analysis, results=tuple(told), returned=returned, power=_power(found, frame))


def results(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of the table `experiment_results`: one an experiment, metric and segment that is due."""
    rows = [
        {
            "experiment": analysis.state.declaration.name,
            "metric": result.metric,
            "segment": result.segment,
            "role": result.role,
            "control_customers": result.customers[CONTROL],
            "treated_customers": result.customers[analysis.state.declaration.treatment],
            "control_mean": result.difference.control,
            "treated_mean": result.difference.treated,
            "difference": result.difference.estimate,
            "low": _finite(result.difference.low),
            "high": _finite(result.difference.high),
            "p_value": result.p_value,
            "corrected_p": result.corrected_p,
            "level": result.level,
            "capped_difference": result.capped and result.capped.estimate,
            "capped_low": result.capped and _finite(result.capped.low),
            "capped_high": result.capped and _finite(result.capped.high),
        }
        for analysis in analyses(warehouse)
        for result in analysis.results
    ]
    numbers = [
        *("control_mean", "treated_mean", "difference", "low", "high", "p_value", "corrected_p", "level"),
        *("capped_difference", "capped_low", "capped_high"),
    ]
    counts = ["control_customers", "treated_customers"]
    names = ["experiment", "metric", "segment", "role", *counts, *numbers]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(counts, "int64"))


def analyses(warehouse: Warehouse) -> Iterable[Analysis]:
    """What is known by now of every experiment that was started."""
    return (analyse(warehouse, found.declaration.name) for found in states(warehouse))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _shares(declared: Declaration) -> dict[str, float]:
    share = float(declared.share)
    return {CONTROL: 1 - share, declared.treatment: share}


def _pays(declared: Declaration) -> bool:
    """Whether returns change the primary metric."""
    return declared.primary.metric in MONEY


def _analysable(cursor: Cursor, found: State) -> dict[str, int]:
    cursor.execute(
        """
        select arm, count(*)
        from assignments
        where experiment = %s and customer_id in (select customer_id from customer_profile)
        group by arm
        """,
        [found.declaration.name],
    )
    return dict.fromkeys(found.arms, 0) | dict(cursor.fetchall())


def _frame(cursor: Cursor, found: State, days: int, *, with_late_returns: bool) -> pd.DataFrame:
    """The outcomes of everybody who was assigned, in so many days, with the block, segment and arm of each."""
    name = found.declaration.name
    population = sql.SQL(
        "select customer_id, counts_from as begins, counts_from + make_interval(days => {days}) as ends "
        "from assignments where experiment = {name}"
    ).format(days=sql.Literal(days), name=sql.Literal(name))
    frame = outcomes(cursor, population, with_late_returns=with_late_returns)
    cursor.execute(
        "select customer_id, block, segment, arm from assignments where experiment = %s order by customer_id", [name]
    )
    assigned = pd.DataFrame(cursor.fetchall(), columns=["customer_id", "block", "segment", "arm"])
    return frame.merge(assigned, on="customer_id", validate="one_to_one")


def _as_drawn(frame: pd.DataFrame, declared: Declaration) -> Experiment:
    treated = (frame["arm"] == declared.treatment).to_numpy()
    return Experiment(frame["block"].to_numpy(str), treated, float(declared.share))


def _seed(found: State) -> int:
    return int(found.salt[:8], 16)


def _judged(metric: Metric, frame: pd.DataFrame, cap: Decimal | None) -> np.ndarray:
    """The values that a verdict is on: those of net revenue up to the cap."""
    values = values_of(metric, frame)
    return np.clip(values, -float(cap), float(cap)) if metric == "net_revenue" and cap is not None else values


def _levels(spans: dict[int, pd.DataFrame], found: State, *, draws: int) -> dict[int, float]:
    """The level of each look until now, the end among them, by days of the window."""
    declared = found.declaration
    if not declared.looks or not spans:
        return dict.fromkeys(spans, LEVEL)
    (first, *_) = spans.values()
    values = {days: _judged(declared.primary.metric, frame, found.cap) for days, frame in spans.items()}
    passed = [days / declared.primary.days for days in spans]
    levels = look_levels(
        _as_drawn(first, declared), pd.DataFrame(values), first[COVARIATES], passed, seed=_seed(found), draws=draws
    )
    return dict(zip(spans, levels, strict=True))


def _compare(
    frame: pd.DataFrame, found: State, metrics: list[Metric], *, segment: str, draws: int, level: float = LEVEL
) -> list[Result]:
    """The results of metrics; `level` is that of the primary one."""
    declared = found.declaration
    experiment, primary = _as_drawn(frame, declared), declared.primary.metric
    values = pd.DataFrame({metric: values_of(metric, frame) for metric in metrics})
    if "net_revenue" in metrics and found.cap is not None:
        values[_CAPPED] = _judged("net_revenue", frame, found.cap)
    of_primary = [primary, _CAPPED] if primary == "net_revenue" else [primary]
    told: dict[str, Difference] = {}
    for columns, at in (
        ([name for name in values if name in of_primary], level),
        ([name for name in values if name not in of_primary], LEVEL),
    ):
        if columns:
            told |= differences(
                experiment, values[columns], frame[COVARIATES], seed=_seed(found), level=at, draws=draws
            )
    for metric in metrics:  # a ratio is shown as it is in each arm, not as it is linearised
        control, treated = (mean_of(metric, frame[experiment.treated == is_treated]) for is_treated in (False, True))
        told[metric] = replace(told[metric], control=control, treated=treated)
    capped = {metric: told.get(_CAPPED) if metric == "net_revenue" else None for metric in metrics}
    secondary = [metric for metric in metrics if metric != primary]
    corrected = holm(pd.Series({metric: (capped[metric] or told[metric]).p_value for metric in secondary}, dtype=float))
    customers = {CONTROL: int((~experiment.treated).sum()), declared.treatment: int(experiment.treated.sum())}
    return [
        Result(
            metric,
            "by segment" if segment != ALL else "secondary" if metric in secondary else "primary",
            segment,
            customers,
            told[metric],
            capped[metric],
            float(corrected[metric]) if metric in secondary else None,
            LEVEL if metric in secondary else level,
        )
        for metric in metrics
    ]


def _power(found: State, frame: pd.DataFrame) -> float:
    """How likely the declared change was to show among these customers, from what the control group did."""
    declared = found.declaration
    control = frame[frame["arm"] == CONTROL]
    share = float(declared.share)
    effective = max(2, round(4 * share * (1 - share) * len(frame)))
    cap = float(found.cap) if found.cap is not None and declared.primary.metric == "net_revenue" else None
    mean, deviation = adjusted(declared.primary.metric, control, cap=cap)
    change = float(declared.change) / 100
    if declared.primary.metric == "bought_within":
        return power_of_shares(mean, min(1.0, mean + change), effective)
    return power_of_means(change * mean, deviation, effective)
