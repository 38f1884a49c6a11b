"""What a campaign changed: the arms as they were drawn, compared once the data covers the window of every customer.

Before that there is no figure at all, so that nobody can stop at a good one. Everybody who was assigned counts, whether
reached or not. Words and tables of it are the subject of `experiment_report`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite

import numpy as np
import pandas as pd
from psycopg import sql

from lgs_assets.action.experiments import CONTROL, Metric, State, state, states
from lgs_assets.action.outcomes import COVARIATES, LATE_DAYS, MONEY, outcomes, values_of
from lgs_assets.models.lift import DRAWS, LEVEL, MISMATCH, Difference, Experiment, differences, mismatch_p
from lgs_assets.models.multiple_testing import holm
from lgs_assets.models.power import power_of_means, power_of_shares
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor

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
    """In pounds, orders or shares, uncapped."""
    p_value: float
    """How often the draw alone makes a difference as large; of net revenue, as capped at the start."""
    corrected_p: float | None
    """Of a secondary metric: corrected for their number by Holm's method."""

    @property
    def shows(self) -> bool:
        """Whether chance alone is an unlikely reason; a secondary metric answers for its number."""
        return (self.p_value if self.corrected_p is None else self.corrected_p) <= LEVEL


@dataclass(frozen=True)
class Returned:
    """What an arm did within the window, with nothing taken off."""

    customers: int
    buyers: int
    net_revenue: float


@dataclass(frozen=True)
class Analysis:
    """An experiment, and what is known of it by now."""

    state: State
    covered_until: date
    """The first day that the data does not cover."""
    due: dict[Metric, date]
    """From which day on each declared metric can be told, the primary first."""
    results: tuple[Result, ...]
    """Of what is due: the primary metric, the secondary ones, and the primary by segment."""
    returned: dict[str, Returned]
    """By arm, once the primary metric is due."""
    power: float | None
    """How likely the declared change was to show, by the data as it came; None until the primary metric is due."""
    is_mismatched: bool
    """Whether the arms are not of the sizes that were drawn. Then there are no results."""

    @property
    def primary(self) -> Result | None:
        """The result by which the experiment is judged; None until it is due."""
        return next((result for result in self.results if result.role == "primary"), None)


def analyse(warehouse: Warehouse, name: str, *, draws: int = DRAWS) -> Analysis:
    """What is known of an experiment by now. Raises LgsError if there is none of that name."""
    found = state(warehouse, name)
    declared = found.declaration
    metrics: tuple[Metric, ...] = (declared.primary.metric, *declared.secondary)
    due = {metric: found.due + timedelta(days=LATE_DAYS * (metric in MONEY)) for metric in metrics}
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute("select (max(last_invoice_at) + interval '1 day')::date from invoice_totals")
        ((end_of_data,),) = cursor.fetchall()
        covered_until = end_of_data or found.due - timedelta(days=declared.primary.days)
        ready = [metric for metric in metrics if due[metric] <= covered_until]
        mismatched = not all(found.arms.values()) or mismatch_p(found.arms, _shares(found)) < MISMATCH
        if mismatched or not ready:
            return Analysis(found, covered_until, due, (), {}, None, mismatched)
        population = sql.SQL(
            "select customer_id, counts_from as begins, counts_from + make_interval(days => {days}) as ends "
            "from assignments where experiment = {name}"
        ).format(days=sql.Literal(declared.primary.days), name=sql.Literal(name))
        frame = outcomes(cursor, population, with_late_returns=bool(MONEY.intersection(ready)))
        cursor.execute(
            "select customer_id, block, segment, arm from assignments where experiment = %s order by customer_id",
            [name],
        )
        assigned = pd.DataFrame(cursor.fetchall(), columns=["customer_id", "block", "segment", "arm"])
    frame = frame.merge(assigned, on="customer_id", validate="one_to_one")
    results = _compare(frame, found, ready, segment=ALL, draws=draws)
    primary = declared.primary.metric
    if primary in ready:
        for segment, members in frame.groupby("segment", sort=True):
            if members["arm"].nunique() == 2 and LEAST_OF_SEGMENT <= len(members) < len(frame):
                results += _compare(members, found, [primary], segment=str(segment), draws=draws)
    returned = {
        str(arm): Returned(len(members), int(members["bought_within"].sum()), float(members["net_revenue"].sum()))
        for arm, members in frame.groupby("arm")
    }
    is_due = primary in ready
    power = _power(found, frame) if is_due else None
    return Analysis(found, covered_until, due, tuple(results), returned if is_due else {}, power, mismatched)


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
        }
        for analysis in analyses(warehouse)
        for result in analysis.results
    ]
    numbers = ["control_mean", "treated_mean", "difference", "low", "high", "p_value", "corrected_p"]
    counts = ["control_customers", "treated_customers"]
    names = ["experiment", "metric", "segment", "role", *counts, *numbers]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(numbers, "float64") | dict.fromkeys(counts, "int64"))


def analyses(warehouse: Warehouse) -> Iterable[Analysis]:
    """What is known by now of every experiment that was started."""
    return (analyse(warehouse, found.declaration.name) for found in states(warehouse))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _shares(found: State) -> dict[str, float]:
    share = float(found.declaration.share)
    return {CONTROL: 1 - share, found.declaration.treatment: share}


def _compare(frame: pd.DataFrame, found: State, metrics: list[Metric], *, segment: str, draws: int) -> list[Result]:
    declared = found.declaration
    values = pd.DataFrame({metric: values_of(metric, frame) for metric in metrics})
    if "net_revenue" in metrics and found.cap is not None:
        values[_CAPPED] = values["net_revenue"].clip(-float(found.cap), float(found.cap))
    treated = (frame["arm"] == declared.treatment).to_numpy()
    experiment = Experiment(frame["block"].to_numpy(str), treated, float(declared.share))
    seed = int(found.salt[:8], 16)
    told = differences(experiment, values, frame[COVARIATES], seed=seed, draws=draws)
    p_values = {
        metric: told[_CAPPED if metric == "net_revenue" and _CAPPED in told else metric].p_value for metric in metrics
    }
    secondary = [metric for metric in metrics if metric != declared.primary.metric]
    corrected = holm(pd.Series([p_values[metric] for metric in secondary], index=secondary, dtype=float))
    customers = {CONTROL: int((~treated).sum()), declared.treatment: int(treated.sum())}
    return [
        Result(
            metric,
            "by segment" if segment != ALL else "secondary" if metric in secondary else "primary",
            segment,
            customers,
            told[metric],
            p_values[metric],
            float(corrected[metric]) if metric in secondary else None,
        )
        for metric in metrics
    ]


def _power(found: State, frame: pd.DataFrame) -> float:
    """How likely the declared change was to show among these customers, from what the control group did."""
    declared = found.declaration
    values = values_of(declared.primary.metric, frame)
    control = values[(frame["arm"] == CONTROL).to_numpy()]
    share = float(declared.share)
    effective = max(2, round(4 * share * (1 - share) * len(frame)))
    mean, change = float(control.mean()), float(declared.change) / 100
    if declared.primary.metric == "bought_within":
        return power_of_shares(mean, min(1.0, mean + change), effective)
    return power_of_means(change * mean, float(np.std(control, ddof=1)), effective)
