"""What an experiment could detect, told from what the same audience would have been and done at earlier dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import inf
from statistics import median

import numpy as np
import pandas as pd
from psycopg import sql

from lgs_assets import places
from lgs_assets.action.audiences import Audience, condition, size
from lgs_assets.action.experiments.declaration import CONTROL, Declaration, Metric
from lgs_assets.action.experiments.holdout import busy_elsewhere
from lgs_assets.action.experiments.outcomes import CAP, adjusted, outcomes
from lgs_assets.action.experiments.words import too_small
from lgs_assets.action.rules import PREDICTED
from lgs_assets.errors import LgsError
from lgs_assets.models.judging import LEVEL, is_too_small
from lgs_assets.models.looks import level_foreseen
from lgs_assets.models.power import (
    POWER,
    customers_needed,
    detectable_difference,
    detectable_share,
    power_of_means,
    power_of_shares,
)
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor, driver_cursor
from lgs_assets.wording import counted

STARTS = 4
"""How many earlier dates are asked, a quarter of a year apart."""
HISTORY_MONTHS = 12
"""How much of the data must lie before such a date."""
LEAST_CUSTOMERS = 20
"""Fewer at an earlier date tell nothing about spread."""
_MANY = 10**9
_LONGER_DAYS = 30
"""By how much a window has to be longer than the declared one to be another."""


class TooLittleDataError(LgsError):
    """The shop's own past cannot tell what an experiment would detect."""


@dataclass(frozen=True)
class Detectable:
    """The smallest changes that a window shows, as medians over earlier dates; None where it shows none."""

    window: str
    days: int
    starts: tuple[datetime, ...]
    share: float
    """Customers who buy again by themselves, in 0..1."""
    share_detectable: float | None
    net_revenue: float
    """Mean of a customer, in pounds."""
    net_change: float | None
    """In percent of the mean."""
    net_change_adjusted: float | None
    """Likewise, capped at the 99th percentile and adjusted for past spend."""
    primary_change: float | None
    """Of the declared metric, in its unit: points, or percent of the mean, adjusted."""


@dataclass(frozen=True)
class Prospect:
    """What an experiment can be expected to answer."""

    declaration: Declaration
    customers: int
    """Members of the audience now who are in no other running experiment."""
    of: int
    """All customers."""
    windows: tuple[Detectable, ...]
    """The declared window, and those of 3 and 6 months; without one that the data does not cover."""
    power: float
    """How likely it is that the declared change shows, in 0..1."""
    needed: int
    """Customers for whom that would be POWER."""
    cap: Decimal | None
    """The 99th percentile of net revenue in the declared window, at the latest of the earlier dates, in pounds. None
    where it is not above zero."""

    @property
    def is_underpowered(self) -> bool:
        """Whether the declared change would more often than 1 - POWER go unseen."""
        return self.power < POWER

    @property
    def change(self) -> str:
        """The declared change, in words."""
        return f"{self.declaration.change} {self.declaration.unit}"

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        share = self.windows[0].share
        if self.declaration.unit == "points" and 100 * share + float(self.declaration.change) > 100:
            return (
                f"This test cannot answer the question: {share:.0%} buy anyway, so a change of {self.change} is more "
                f"than the {100 * (1 - share):.0f} that are left to win."
            )
        can = "cannot" if self.is_underpowered else "can"
        held_out = round((1 - self.declaration.share) * self.customers)
        halves = halves_of(self.customers, float(self.declaration.share))
        sharp = f" ({held_out:,} are held out: as sharp as {halves:,} in two halves)" if halves < self.customers else ""
        return (
            f"This test {can} answer the question: with {counted(self.customers, 'customer')}{sharp} it shows a change "
            f"of {self.change} in {_NAMES[self.declaration.primary.metric]} within {self.declaration.primary.days} "
            f"days {self.power:.0%} of the time; {POWER:.0%} is expected of a test."
        )

    @property
    def caution(self) -> str | None:
        """That the interval would be less sure than it says, where an arm would have too few customers."""
        treated = self.declaration.share
        arm = CONTROL if 1 - treated <= treated else self.declaration.treatment
        customers = int(min(treated, 1 - treated) * self.customers)  # as few as the draw may leave in it
        share = None
        if self.declaration.primary.metric == "bought_within":
            share = min(1.0, self.windows[0].share + float(treated * self.declaration.change) / 100)
        return too_small(arm, customers) if is_too_small(customers, share=share) else None

    @property
    def ways_out(self) -> list[str]:
        """What would help, where it cannot."""
        if not self.is_underpowered:
            return []
        ways = [
            f"A wider audience: it takes about {self.needed:,} customers; the shop has {self.of:,}."
            if self.needed < _MANY
            else "A wider audience does not help: no number of customers shows this change."
        ]
        declared, name = self.declaration.primary, _NAMES[self.declaration.primary.metric]
        first, longest = self.windows[0], max(self.windows, key=lambda window: window.days)
        if longest.days >= declared.days + _LONGER_DAYS:
            ways.append(
                f"A longer window does not help: within {longest.window}, no smaller change in {name} would show."
                if longest.primary_change is None or longest.primary_change >= (first.primary_change or inf)
                else f"A longer window: within {longest.window}, the smallest change in {name} that shows is "
                f"{longest.primary_change:.0f} {self.declaration.unit}."
            )
        if declared.metric == "bought_within":
            ways.append('Waves: with enrol = "waves", each new member of the audience joins until there are enough.')
        elif first.share_detectable is None:
            ways.append(f"The share who buy does not help instead of {name}: within {first.window} no change shows.")
        else:
            ways.append(
                f"The share who buy instead of {name}: within {first.window} it shows a change from {first.share:.0%} "
                f"to {first.share_detectable:.0%}."
            )
        return ways


_NAMES = {
    "bought_within": "the share who buy",
    "net_revenue": "net revenue",
    "orders": "orders",
    "revenue_per_order": "revenue per order",
}


def prospect(warehouse: Warehouse, declaration: Declaration, audience: Audience) -> Prospect:
    """What the experiment can be expected to answer. Raises TooLittleDataError if the data is too short to tell, and
    LgsError if nobody could be enrolled.
    """
    is_free = sql.SQL("not {}").format(
        busy_elsewhere(declaration.name, sql.Identifier("audience_facts", "customer_id"))
    )
    found = size(warehouse, audience.rule, among=is_free)
    if not found.customers:
        raise LgsError(
            f"The audience {audience.name} has no members who are in no other running experiment: nothing can be "
            "tested."
        )
    asked = audience.rule.columns | set(declaration.block_by)
    if predicted := sorted(asked & PREDICTED):
        raise TooLittleDataError(
            f"The data cannot tell: {', '.join(predicted)} was not predicted of everybody at earlier dates, so whom "
            f"{audience.name} would have held then is not known."
        )
    share = float(declaration.share)
    effective = halves_of(found.customers, share)
    days = declaration.primary.days
    spans = {f"{days} days": days, "3 months": 91, "6 months": 182}
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        periods = {
            span: [
                (start, frame)
                for start in _starts(cursor, span)
                if len(frame := outcomes_at(cursor, audience, start, span)) >= LEAST_CUSTOMERS
            ]
            for span in spans
        }
    declared = periods[f"{days} days"]
    if not declared:
        raise TooLittleDataError(
            f"The data cannot tell: it takes a date with {HISTORY_MONTHS} months of invoices before it, {days} days "
            f"after it and {LEAST_CUSTOMERS} members of {audience.name} at it."
        )
    metric = declaration.primary.metric
    level = level_foreseen([look / days for look in declaration.looks]) if declaration.looks else LEVEL
    windows = tuple(
        _detectable(span, spans[span], period, effective, metric=metric, level=level)
        for span, period in periods.items()
        if period
    )
    is_possible = metric != "bought_within" or windows[0].share + float(declaration.change) / 100 <= 1
    power, needed = _power(declaration, declared, effective, level=level) if is_possible else (0.0, _MANY)
    return Prospect(
        declaration,
        found.customers,
        found.of,
        windows,
        power,
        round(needed * found.customers / effective) if needed < _MANY else _MANY,
        cap_of(declared[0][1]),
    )


def halves_of(customers: int, share: float) -> int:
    """With how many customers, half of them treated, a test is as sharp as with these, of whom a share is."""
    return max(2, round(4 * share * (1 - share) * customers))


def foreseen(warehouse: Warehouse, declaration: Declaration, audience: Audience) -> tuple[Prospect | None, str | None]:
    """What the experiment can be expected to answer; or None, and why the data cannot tell. Raises as `prospect`."""
    try:
        return prospect(warehouse, declaration, audience), None
    except TooLittleDataError as error:
        return None, str(error)


def _starts(cursor: Cursor, span: str) -> list[datetime]:
    """The latest month ends after which the data covers the window, newest first, a quarter of a year apart."""
    cursor.execute(
        """
        with reach as (
            select
                date_trunc('month', min(last_invoice_at)) + make_interval(months => %(history)s) as earliest,
                date_trunc('month', date_trunc('day', max(last_invoice_at)) + interval '1 day' - %(span)s::interval)
                    as latest
            from invoice_totals
        )
        select distinct snapshot_date
        from rfm_history
        cross join reach
        where snapshot_date in (
            select latest - make_interval(months => 3 * quarter) from generate_series(0, %(starts)s - 1) as quarter
        ) and snapshot_date >= earliest
        order by snapshot_date desc
        """,
        {"history": HISTORY_MONTHS, "span": span, "starts": STARTS},
    )
    return [start for (start,) in cursor]


def outcomes_at(cursor: Cursor, audience: Audience, start: datetime, span: str) -> pd.DataFrame:
    """What the members that the audience would have had at a date did in the window after it."""
    facts = sql.SQL((places.SQL / "facts_as_of.sql").read_text()).format(start=sql.Literal(start))
    population = sql.SQL(
        "with audience_facts as ({facts}) select customer_id, {start} as known_until, {start} as begins, "
        "{start} + {span}::interval as ends from audience_facts where {rule}"
    ).format(facts=facts, start=sql.Literal(start), span=sql.Literal(span), rule=condition(audience.rule))
    return outcomes(cursor, population, with_late_returns=False)


def cap_of(frame: pd.DataFrame) -> Decimal | None:
    """The quantile CAP of net revenue; None where it is not above zero, and would leave nothing to compare."""
    cap = round(Decimal(float(np.quantile(frame["net_revenue"], CAP))), 2)
    return cap if cap > 0 else None


_Period = Sequence[tuple[datetime, pd.DataFrame]]


def _detectable(name: str, days: int, period: _Period, customers: int, *, metric: Metric, level: float) -> Detectable:
    share = median(frame["bought_within"].mean() for _, frame in period)
    share_detectable = detectable_share(share, customers, level=level)
    money = [frame["net_revenue"].to_numpy() for _, frame in period]
    if metric != "bought_within":
        primary_change = _median_change([_adjusted(metric, frame) for _, frame in period], customers, level=level)
    else:
        primary_change = None if share_detectable is None else 100 * (share_detectable - share)
    return Detectable(
        name,
        days,
        tuple(start for start, _ in period),
        share,
        share_detectable,
        median(values.mean() for values in money),
        _median_change([(values.mean(), values.std(ddof=1)) for values in money], customers, level=level),
        _median_change([_adjusted("net_revenue", frame) for _, frame in period], customers, level=level),
        primary_change,
    )


def _median_change(spreads: list[tuple[float, float]], customers: int, *, level: float) -> float | None:
    """The median over dates of the smallest detectable change, in percent; None where the mean is not above zero."""
    if any(mean <= 0 for mean, _ in spreads):
        return None
    return median(100 * detectable_difference(deviation, customers, level=level) / mean for mean, deviation in spreads)


def _adjusted(metric: Metric, frame: pd.DataFrame) -> tuple[float, float]:
    """Mean and adjusted standard deviation of a metric in the form that is judged: net revenue capped."""
    cap = cap_of(frame) if metric == "net_revenue" else None
    return adjusted(metric, frame, cap=None if cap is None else float(cap))


def _power(declaration: Declaration, period: _Period, customers: int, *, level: float) -> tuple[float, int]:
    """How likely the declared change shows, and with how many customers it would at POWER; medians over the dates."""
    change = float(declaration.change) / 100
    powers, needed = [], []
    for _, frame in period:
        if declaration.primary.metric == "bought_within":
            share = frame["bought_within"].mean()
            powers.append(power_of_shares(share, min(1.0, share + change), customers, level=level))
            needed.append(_shares_needed(share, min(1.0, share + change), level=level))
        else:
            mean, deviation = _adjusted(declaration.primary.metric, frame)
            is_told = mean > 0
            powers.append(power_of_means(change * mean, deviation, customers, level=level) if is_told else 0.0)
            least = customers_needed(deviation, change * mean, level=level) if is_told else _MANY
            needed.append(min(_MANY, round(least)))
    return median(powers), round(median(needed))


def _shares_needed(share: float, other: float, *, level: float) -> int:
    """With how many customers one share is told from another at POWER."""
    low, high = 1, 2
    while power_of_shares(share, other, high, level=level) < POWER and high < _MANY:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        is_enough = power_of_shares(share, other, middle, level=level) >= POWER
        low, high = (low, middle) if is_enough else (middle, high)
    return min(high, _MANY)
