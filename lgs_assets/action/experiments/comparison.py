"""The arms of an experiment compared: by each metric, within parts of its customers, and at declared looks.

When any of it may be told is the subject of `results`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pandas as pd
from psycopg import sql

from lgs_assets import places
from lgs_assets.action.experiments.declaration import ALL, CONTROL, Declaration, Metric
from lgs_assets.action.experiments.detectable import halves_of
from lgs_assets.action.experiments.outcomes import COVARIATES, adjusted, mean_of, outcomes, values_of
from lgs_assets.action.experiments.state import State
from lgs_assets.models.judging import LEVEL, is_too_small
from lgs_assets.models.lift import Difference, differences, differences_of_parts
from lgs_assets.models.looks import look_levels
from lgs_assets.models.multiple_testing import holm
from lgs_assets.models.power import power_of_means, power_of_shares
from lgs_assets.models.redraw import Experiment
from lgs_assets.warehouse.schema import Cursor

LEAST_OF_PART = 20
"""Customers of a segment, or of a segment in a country, below which it is not told apart."""

_CAPPED = "net_revenue, capped"

# Until when nothing can have been changed by a treatment: it begins with the draw, and what counts may begin later.
_KNOWN_UNTIL = sql.SQL("least(counts_from, assigned_at at time zone {})").format(sql.Literal(places.TIME_ZONE))
# The country of a customer is the one of most sales, as in customer_profile, but of those until then.
_ASSIGNED = """
with assigned as (
    select customer_id, block, segment, arm, {known_until} as known_until from assignments where experiment = %s
)

select assigned.customer_id, block, segment, arm, coalesce(country, 'unknown')
from assigned
left join (
    select distinct on (customer_id) customer_id, country
    from (
        select customer_id, country, sum(sale_amount) as sales, max(last_sale_at) as last_sale_at
        from invoice_totals
        inner join assigned using (customer_id)
        where sale_lines > 0 and last_invoice_at < known_until
        group by customer_id, country
    ) as by_country
    order by customer_id, sales desc, last_sale_at desc, country collate "C"
) as home using (customer_id)
order by customer_id
"""


@dataclass(frozen=True)
class Result:
    """A metric of the treated against the control group."""

    metric: Metric
    role: str
    """primary, secondary, by segment, or by segment and country."""
    segment: str
    """ALL, or the one segment that is compared."""
    country: str
    """ALL, or the one country that is compared."""
    customers: dict[str, int]
    """By arm."""
    difference: Difference
    """In pounds, orders or shares, uncapped. That of a ratio is linearised, so not quite that of the arms' ratios."""
    capped: Difference | None
    """Net revenue with no customer counted beyond the cap set at the start, by which it is judged; None of others."""
    corrected_p: float | None
    """Corrected for the number of secondary metrics, or of parts, by Holm's method; None of the primary result."""
    level: float
    """The p-value up to which an effect is outside the interval: less than LEVEL where declared looks, secondary
    metrics or parts share it."""

    @property
    def judged(self) -> Difference:
        """What the verdict is on: whether there is an effect, and of which sign."""
        return self.capped or self.difference

    @property
    def p_value(self) -> float:
        """How often the draw alone makes a difference as large as the one that is judged."""
        return self.judged.p_value

    @property
    def small_arm(self) -> str | None:
        """The smaller arm, if it has too few customers for the interval to be as sure as it says."""
        arm = min(self.customers, key=lambda each: self.customers[each])
        share = None
        if self.metric == "bought_within":
            means = dict.fromkeys(self.customers, self.difference.treated) | {CONTROL: self.difference.control}
            share = sum(means[each] * number for each, number in self.customers.items()) / sum(self.customers.values())
        return arm if is_too_small(self.customers[arm], share=share) else None

    @property
    def shows(self) -> bool:
        """Whether chance alone is an unlikely reason; a secondary metric answers for its number."""
        return self.p_value <= self.level if self.corrected_p is None else self.corrected_p <= LEVEL


def frame_of(cursor: Cursor, found: State, days: int, *, with_late_returns: bool) -> pd.DataFrame:
    """The outcomes of everybody who was assigned, in so many days, with the block, segment, country and arm of each."""
    name = found.declaration.name
    population = sql.SQL(
        "select customer_id, {known_until} as known_until, counts_from as begins, "
        "counts_from + make_interval(days => {days}) as ends from assignments where experiment = {name}"
    ).format(known_until=_KNOWN_UNTIL, days=sql.Literal(days), name=sql.Literal(name))
    frame = outcomes(cursor, population, with_late_returns=with_late_returns)
    cursor.execute(sql.SQL(_ASSIGNED).format(known_until=_KNOWN_UNTIL), [name])
    assigned = pd.DataFrame(cursor.fetchall(), columns=["customer_id", "block", "segment", "arm", "country"])
    return frame.merge(assigned, on="customer_id", validate="one_to_one")


def compare(
    frame: pd.DataFrame, found: State, metrics: Sequence[Metric], *, draws: int, level: float = LEVEL
) -> list[Result]:
    """The results of everybody by the metrics; `level` is that of the primary one.

    Secondary ones answer for all that were declared, also for those that are not due yet, and their intervals share
    LEVEL.
    """
    declared = found.declaration
    primary, secondary = declared.primary.metric, declared.secondary
    levels = {primary: level} | {metric: LEVEL / len(secondary) for metric in secondary}
    values = _values(frame, found, metrics)
    told = differences(
        _as_drawn(frame, declared), values, frame[COVARIATES], seed=_seed(found), levels=_at(levels), draws=draws
    )
    results = [_result(metric, frame, told, found, levels[metric]) for metric in metrics]
    others = [result for result in results if result.metric != primary]
    return [result for result in results if result.metric == primary] + _corrected(
        others, "secondary", of=len(secondary)
    )


def compare_parts(frame: pd.DataFrame, found: State, *, draws: int) -> list[Result]:
    """The results of segments, and of segments in a country, by the primary metric. Their intervals share LEVEL.

    The arms of all are drawn again, as they were drawn: blocks need not be of one country.
    """
    declared = found.declaration
    primary = declared.primary.metric
    parts = {
        (str(segment), ALL): members
        for segment, members in frame.groupby("segment", sort=True)
        if _is_part(members, of=frame)
    } | {
        (str(segment), str(country)): members
        for segment, of_segment in frame.groupby("segment", sort=True)
        for country, members in of_segment.groupby("country", sort=True)
        if _is_part(members, of=of_segment)
    }
    level = LEVEL / max(1, len(parts))
    told = differences_of_parts(
        _as_drawn(frame, declared),
        {
            part: (frame.index.isin(members.index), _values(members, found, [primary]))
            for part, members in parts.items()
        },
        frame[COVARIATES],
        seed=_seed(found),
        levels=_at({primary: level}),
        draws=draws,
    )
    results = [
        replace(_result(primary, members, told[segment, country], found, level), segment=segment, country=country)
        for (segment, country), members in parts.items()
    ]
    corrected = _corrected(results, "by segment", of=len(results))
    return [replace(each, role="by segment and country") if each.country != ALL else each for each in corrected]


def levels_of_looks(spans: dict[int, pd.DataFrame], found: State, *, draws: int) -> dict[int, float]:
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


def power_of(found: State, frame: pd.DataFrame, *, level: float) -> float:
    """How likely the declared change was to show among these customers at the level that the looks left, from what the
    control group did.
    """
    if not level:
        return 0.0  # the looks left nothing
    declared = found.declaration
    control = frame[frame["arm"] == CONTROL]
    effective = halves_of(len(frame), float(declared.share))
    cap = float(found.cap) if found.cap is not None and declared.primary.metric == "net_revenue" else None
    mean, deviation = adjusted(declared.primary.metric, control, cap=cap)
    change = float(declared.change) / 100
    if declared.primary.metric == "bought_within":
        return power_of_shares(mean, mean + change, effective, level=level) if mean + change <= 1 else 0.0
    # Of a control group that spent nothing, or all the same, nothing is known: a share of nothing cannot show.
    return power_of_means(change * mean, deviation, effective, level=level) if mean > 0 and deviation else 0.0


def up_to(cap: Decimal | None, values: np.ndarray) -> np.ndarray:
    """Net revenue with no customer counted beyond the cap, spent or refunded."""
    return values if cap is None else np.clip(values, -float(cap), float(cap))


def _is_part(members: pd.DataFrame, *, of: pd.DataFrame) -> bool:
    return members["arm"].nunique() == 2 and LEAST_OF_PART <= len(members) < len(of)


def _corrected(results: Sequence[Result], role: str, *, of: int) -> list[Result]:
    """Corrected for so many results, of which those that are not known yet count as showing nothing."""
    p_values = holm(pd.Series([result.p_value for result in results] + [1.0] * (of - len(results)), dtype=float))
    return [replace(each, role=role, corrected_p=float(p)) for each, p in zip(results, p_values, strict=False)]


def _values(frame: pd.DataFrame, found: State, metrics: Sequence[Metric]) -> pd.DataFrame:
    """The metrics, a column each, the share who buy as truth values, and net revenue as it is judged."""
    values = pd.DataFrame({metric: values_of(metric, frame) for metric in metrics})
    if "bought_within" in metrics:
        values["bought_within"] = values["bought_within"] > 0
    if "net_revenue" in metrics and found.cap is not None:
        values[_CAPPED] = _judged("net_revenue", frame, found.cap)
    return values


def _at(levels: dict[Metric, float]) -> dict[str, float]:
    """The level of each column of `_values`."""
    return {str(metric): level for metric, level in levels.items()} | {_CAPPED: levels.get("net_revenue", LEVEL)}


def _result(metric: Metric, frame: pd.DataFrame, told: Mapping[str, Difference], found: State, level: float) -> Result:
    """A metric of the customers in the frame, as if it were the primary one of all."""
    treatment = found.declaration.treatment
    arms = {arm: frame[frame["arm"] == arm] for arm in (CONTROL, treatment)}
    means = {arm: mean_of(metric, members) for arm, members in arms.items()}  # of a ratio, not as it is linearised
    difference = replace(told[metric], control=means[CONTROL], treated=means[treatment])
    capped = told.get(_CAPPED) if metric == "net_revenue" else None
    customers = {arm: len(members) for arm, members in arms.items()}
    return Result(metric, "primary", ALL, ALL, customers, difference, capped, None, level)


def _as_drawn(frame: pd.DataFrame, declared: Declaration) -> Experiment:
    treated = (frame["arm"] == declared.treatment).to_numpy()
    return Experiment(frame["block"].to_numpy(str), treated, float(declared.share))


def _seed(found: State) -> int:
    return int(found.salt[:8], 16)


def _judged(metric: Metric, frame: pd.DataFrame, cap: Decimal | None) -> np.ndarray:
    """The values that a verdict is on: those of net revenue up to the cap."""
    values = values_of(metric, frame)
    return up_to(cap, values) if metric == "net_revenue" else values
