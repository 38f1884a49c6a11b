"""What a campaign changed: the arms as they were drawn, compared once the data covers the window of every customer.

Until then no figure is told, so that nobody can stop at a good one; the exception is an effect shown at a declared
look. Everybody who was assigned counts, whether reached or not. What is compared, and how, is the subject of
`comparison`; what is said of it, of `words`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite

import pandas as pd

from lgs_assets.action.experiments.comparison import Result, compare, compare_parts, frame_of, levels_of_looks, power_of
from lgs_assets.action.experiments.declaration import CONTROL, MONEY, Declaration, Metric
from lgs_assets.action.experiments.outcomes import EXACT
from lgs_assets.action.experiments.state import State, read_state, states
from lgs_assets.models.judging import DRAWS, is_mismatched
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import frame_of_rows
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor


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
    """The first declared look at which an effect of the primary metric shows, which the end does not take back; None
    before, or without any."""
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
        declared, window = found.declaration, found.declaration.primary.days
        metrics: tuple[Metric, ...] = (declared.primary.metric, *declared.secondary)
        due = {metric: found.due_of(metric) for metric in metrics}
        pounds_due = found.due_of("net_revenue")
        covered = found.covered_until
        analysable = _analysable(cursor, found)
        mismatched = is_mismatched(analysable, found.arms, declared.shares)
        ready = [metric for metric in metrics if due[metric] <= covered] if found.is_due else []
        looks = [days for days in declared.looks if found.due_of(declared.primary.metric, after=days) <= covered]
        analysis = Analysis(
            found, covered, due, results=(), look=None, looked=max(looks, default=None), returned={},
            pounds_due=pounds_due, analysable=analysable, power=None, is_mismatched=mismatched,
        )  # fmt: skip
        if mismatched or not (ready or looks):
            return analysis
        spans = {days: frame_of(cursor, found, days, with_late_returns=_pays(declared)) for days in looks}
        if ready:
            spans[window] = frame_of(cursor, found, window, with_late_returns=pounds_due <= covered)
    levels = levels_of_looks(spans, found, draws=draws)
    early = (
        Look(days, compare(spans[days], found, metrics[:1], draws=draws, level=levels[days])[0])
        for days in looks
        if levels[days]
    )
    analysis = replace(analysis, look=next((look for look in early if look.result.shows), None))
    if not ready:
        return analysis
    frame = spans[window]
    told = compare(frame, found, ready, draws=draws, level=levels[window])
    told += compare_parts(frame, found, draws=draws)
    returned = {
        str(arm): Returned(
            len(members),
            int(members["bought_within"].sum()),
            sum(members[EXACT], Decimal(0)) if pounds_due <= covered else None,
        )
        for arm, members in frame.groupby("arm")
    }
    return replace(analysis, results=tuple(told), returned=returned, power=power_of(found, frame, level=levels[window]))


def results(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of the table `experiment_results`: one an experiment, metric and segment that is due."""
    rows = [
        {
            "experiment": analysis.state.declaration.name,
            "metric": result.metric,
            "segment": result.segment,
            "country": result.country,
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
            "capped_control_mean": result.capped and result.capped.control,
            "capped_treated_mean": result.capped and result.capped.treated,
            "capped_difference": result.capped and result.capped.estimate,
            "capped_low": result.capped and _finite(result.capped.low),
            "capped_high": result.capped and _finite(result.capped.high),
        }
        for analysis in analyses(warehouse)
        for result in analysis.results
    ]
    return frame_of_rows("experiment_results", rows)


def analyses(warehouse: Warehouse) -> Iterable[Analysis]:
    """What is known by now of every experiment that was started."""
    return (analyse(warehouse, found.declaration.name) for found in states(warehouse))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


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
