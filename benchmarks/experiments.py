"""Whether experiments are as right as they say, on real customers and what they really bought later.

    python -m benchmarks.experiments [--splits 2000] [--draws 999] [--salts 1000] [--only "At Risk"]

In the warehouse that the environment names, each population as of six months before the end of the whole months is
drawn into arms many times, within blocks by segment and spend. Three tables, in percent but for pounds:

- In halves, and with a control group of 5 %. A lift of 0, 10 and 20 % is put on every pound of the treated, and of
  those of them who did not buy so many are won over that 0, 10 and 20 more of a hundred buy, or half of them. How
  often an effect shows (with no lift these are false alarms: 5), of pounds as they are, of pounds capped, and of
  buyers; and how often the interval holds the true lift (95). As at a start, the cap is that of the same rule in the
  window before, so it knows nothing of what is judged.
- With no lift, a look each week from the fourth on. How often any shows an effect: as declared, and at 5 % each. How
  far the latter errs depends on the test: at the same looks, Welch's of pounds as they are errs in 9 to 14 %, because
  the one customer who makes a third of the variance is in all of them. Capped, and less what past spend explains, looks
  have less in common, so that any of them shows more often.
- Of the customers of today, drawn with many salts: how far apart the mean past spend of the arms is, in pounds (one
  standard deviation), and the sizes of the arm; by the draw of the platform, and by a toss for each customer.
- How many seconds of a processor the comparisons of a result take, without the queries before them.

Exits with 1, and says what is off, if a figure is further from what it should be than chance puts it: false alarms 5
%, intervals 93 to 97 % (of buyers with a control group of 5 %, 91 to 99 %), declared looks at most 6 %, buyers in
halves no less often than a plan would foretell; if these take more than ten seconds for 6,000 customers; and, on
the data of `REFERENCES`, if effects show, or arms are alike, less than there.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from math import sqrt
from time import process_time
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from psycopg import sql

from benchmarks.splits import differences_of_splits
from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.experiments.comparison import up_to
from lgs_assets.action.experiments.detectable import cap_of, outcomes_at
from lgs_assets.action.experiments.outcomes import COVARIATES
from lgs_assets.action.experiments.starting import arms
from lgs_assets.configuration import Configuration
from lgs_assets.models.judging import DRAWS, LEVEL
from lgs_assets.models.lift import differences, differences_of_parts
from lgs_assets.models.looks import look_levels
from lgs_assets.models.power import power_of_shares
from lgs_assets.models.redraw import Experiment
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets.wiring.resources import Resources

LIFTS = (0.0, 0.1, 0.2)
POPULATIONS = {
    "Can't Lose": "segment = 'Can''t Lose'",
    "At Risk": "segment = 'At Risk'",
    "both": "segment in ('Can''t Lose', 'At Risk')",
    "Champions": "segment = 'Champions'",
    "all": "true",
}
BLOCK_SIZES = {0.5: 4, 0.05: 20}
"""Customers of a block, by the share of the control group: what a declaration of it would have."""
MONTHS = 6
DAYS = 182
LOOKS = range(28, DAYS, 7)
SECONDS = 10.0
"""Of a processor, that the comparisons of a result for 6,000 customers may take."""
ERRORS = 3
"""Standard errors by which chance alone may put a figure off: a right one is further in one of 370 measurements."""
COVERED_WITHIN = 0.02
"""How far the coverage of intervals may be from what they say."""
COVERED_OF_FEW_WITHIN = 0.04
"""Likewise of buyers, with a control group of 5 %."""
PEEKED_WITHIN = 0.01
"""How far above their level declared looks may be."""
_MEASURED = ("shows", "shows, capped", "covered", "buyers show", "buyers covered")
_TOGETHER = 50
"""Splits that are compared with the same other draws: to draw takes longer than to compare."""


@dataclass(frozen=True)
class Reference:
    """What an independent computation found of a population of the UCI data."""

    then: int
    """Customers as of the start."""
    now: int
    """Customers of today."""
    apart: float
    """Pounds between the mean past spend of arms drawn by rank within blocks of four: one standard deviation."""
    shows: dict[float, float]
    """How often an effect of a lift shows, capped, in 0..1."""
    splits: int
    """Of so many splits."""


REFERENCES = {
    "Can't Lose": Reference(56, 71, 1985, {}, 400),
    "At Risk": Reference(670, 750, 31, {0.1: 0.10, 0.2: 0.22}, 400),
    "Champions": Reference(748, 852, 763, {0.1: 0.27, 0.2: 0.79}, 400),
    "all": Reference(4_933, 5_878, 242, {0.1: 0.65, 0.2: 0.99}, 150),
}


def measure(
    frame: pd.DataFrame, *, cap: Decimal | None, splits: int, draws: int, control: float = 0.5, seed: int = 1
) -> Counter[tuple[str, float]]:
    """How often an effect of each lift shows, shows capped, and is in the interval, of pounds and of buyers.

    Over so many splits. `frame` has the outcomes of customers, and the block of each.
    """
    net, bought = frame["net_revenue"].to_numpy(), frame["bought_within"].to_numpy(bool)
    won_over = {lift: _won_over(bought, lift) for lift in LIFTS}
    found: Counter[tuple[str, float]] = Counter()
    for number, experiments in enumerate(
        _splits(frame["block"].to_numpy(), splits=splits, share=1 - control, seed=seed)
    ):
        outcomes = []
        for experiment in experiments:
            lifted = {lift: net * (1 + lift * experiment.treated) for lift in LIFTS}
            values = {f"net {lift}": pounds for lift, pounds in lifted.items()}
            values |= {f"capped {lift}": up_to(cap, pounds) for lift, pounds in lifted.items()}
            values |= {f"buyers {lift}": bought | (won_over[lift] & experiment.treated) for lift in LIFTS}
            outcomes.append(pd.DataFrame(values))
        for told in differences_of_splits(
            list(zip(experiments, outcomes, strict=True)), frame[COVARIATES], seed=number, draws=draws
        ):
            for lift in LIFTS:
                pounds = told[f"net {lift}"]
                found["shows", lift] += pounds.p_value <= LEVEL
                found["shows, capped", lift] += told[f"capped {lift}"].p_value <= LEVEL
                found["covered", lift] += pounds.low <= lift * net.mean() <= pounds.high
                buyers = told[f"buyers {lift}"]
                found["buyers show", lift] += buyers.p_value <= LEVEL
                found["buyers covered", lift] += buyers.low <= won_over[lift].mean() <= buyers.high
    return found


def peek(
    frame: pd.DataFrame, weeks: pd.DataFrame, *, cap: Decimal | None, splits: int, draws: int, seed: int = 1
) -> Counter[str]:
    """How often any look shows an effect that does not exist, as declared and at LEVEL each.

    `weeks` has net revenue by days of the window before its end, for the customers of the frame.
    """
    of_frame = weeks.loc[frame["customer_id"]].assign(**{f"{DAYS}": frame["net_revenue"].to_numpy()})
    known = pd.DataFrame(up_to(cap, of_frame.to_numpy()), columns=of_frame.columns)
    passed = [days / DAYS for days in (*LOOKS, DAYS)]
    found: Counter[str] = Counter()
    for number, experiments in enumerate(_splits(frame["block"].to_numpy(), splits=splits, share=0.5, seed=seed)):
        levels = look_levels(experiments[0], known, frame[COVARIATES], passed, seed=number, draws=draws)
        same = [(experiment, known) for experiment in experiments]
        for told in differences_of_splits(same, frame[COVARIATES], seed=number, draws=draws):
            p_values = [told[str(days)].p_value for days in known]
            found["declared"] += any(p <= level for p, level in zip(p_values, levels, strict=True))
            found["at 5 % each"] += any(p <= LEVEL for p in p_values)
    return found


def imbalance(warehouse: Warehouse, where: str, *, salts: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """By salt, the size of the treated arm and its mean past spend less that of the others: as drawn, and as tossed."""
    rows = warehouse.rows(f"select customer_id, monetary::float8 as monetary from audience_facts where {where}")
    spend = pd.Series({row.customer_id: row.monetary for row in rows})
    population = sql.SQL(
        "select customer_id, segment, segment as stratum, monetary as place_by from audience_facts where {where}"
    ).format(where=sql.SQL(where))
    drawn, tossed = [], []
    for number in range(salts):
        salt = sha256(str(number).encode()).hexdigest()[:32]
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            cursor.execute(arms(population, size=BLOCK_SIZES[0.5], share=Decimal("0.5"), salt=salt))
            treated = [customer for customer, _, _, arm in cursor.fetchall() if arm == "treated"]
        drawn.append(_apart(spend, pd.Index(treated)))
        heads = [each for each in spend.index if sha256(f"{salt}:{each}".encode()).digest()[0] < 256 // 2]
        tossed.append(_apart(spend, pd.Index(heads)))
    return pd.DataFrame(drawn), pd.DataFrame(tossed)


def population(warehouse: Warehouse, where: str, *, control: float = 0.5) -> tuple[pd.DataFrame, Decimal | None]:
    """The customers of a rule six months before the end of the whole months, what they did then, and their blocks.

    And the cap by which they are judged: that of the customers of the rule in the six months before.
    """
    start = _start(warehouse)
    frame = _outcomes(warehouse, where, start, f"{MONTHS} months")
    before = (pd.Timestamp(start) - pd.DateOffset(months=MONTHS)).to_pydatetime()
    cap = cap_of(_outcomes(warehouse, where, before, f"{MONTHS} months"))
    members = sql.SQL(
        "select customer_id, segment, segment as stratum, monetary as place_by from rfm_history "
        "where snapshot_date = {start} and {where}"
    ).format(start=sql.Literal(start), where=sql.SQL(where))
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(arms(members, size=BLOCK_SIZES[control], share=1 - Decimal(str(control)), salt=""))
        blocks = {customer: block for customer, block, _, _ in cursor.fetchall()}
    return frame.assign(block=frame["customer_id"].map(blocks)), cap


def weekly(warehouse: Warehouse, where: str) -> pd.DataFrame:
    """What the customers of a rule spent by then: net revenue, a column a look, by its days, and a row a customer."""
    start = _start(warehouse)
    return pd.DataFrame(
        {
            f"{days}": _outcomes(warehouse, where, start, f"{days} days").set_index("customer_id")["net_revenue"]
            for days in LOOKS
        }
    )


def seconds(frame: pd.DataFrame, *, draws: int = DRAWS) -> float:
    """What the comparisons of a result take of a processor: four metrics, one capped, two looks and 26 parts."""
    begun = process_time()
    customers = np.arange(len(frame))
    experiment = Experiment(frame["block"].to_numpy(), customers % 2 == 0, 0.5)
    values = pd.DataFrame({f"{number}": frame["net_revenue"].to_numpy() + number for number in range(5)})
    parts = {(of, part): customers // of % 13 == part for of in (1, 13) for part in range(13) if part * of < len(frame)}
    look_levels(experiment, values[["0", "1", "2"]], frame[COVARIATES], [0.3, 0.6, 1.0], seed=1, draws=draws)
    differences(experiment, values, frame[COVARIATES], seed=1, draws=draws)
    differences_of_parts(
        experiment,
        {part: (members, values.loc[members, ["0", "1"]]) for part, members in parts.items()},
        frame[COVARIATES],
        seed=1,
        draws=draws,
    )
    return process_time() - begun


def off_timed(taken: float, *, customers: int) -> list[str]:
    """What is off of the seconds that a result took."""
    allowed = SECONDS * max(customers / 6_000, 1)
    return (
        [f"the comparisons of a result took {taken:.1f} s of a processor; expected at most {allowed:.1f}."]
        if taken > allowed
        else []
    )


def off_measured(
    name: str, found: Counter[tuple[str, float]], *, frame: pd.DataFrame, splits: int, control: float = 0.5
) -> list[str]:
    """What is off of what `measure` found of a population, a sentence each."""
    name = name if control == 0.5 else f"{name}, {control:.0%} control"
    by_chance = _by_chance(LEVEL, splits)
    off = []
    for what in ("shows", "shows, capped", "buyers show"):
        off += _off(f"{name}: false alarms, {what}", found[what, 0.0] / splits, LEVEL - by_chance, LEVEL + by_chance)
    within = max(COVERED_WITHIN, by_chance)
    for lift in LIFTS:
        covered = found["covered", lift] / splits
        off += _off(f"{name}: intervals that hold {lift:.0%}", covered, 1 - LEVEL - within, 1 - LEVEL + within)
    # A control group of 5 % may be 37 customers, of whom four do not buy: with so few, chance moves in steps.
    within = within if control == 0.5 else COVERED_OF_FEW_WITHIN + by_chance
    for lift in LIFTS:
        covered, most = found["buyers covered", lift] / splits, 1.0 if lift else 1 - LEVEL + within
        off += _off(f"{name}: intervals that hold {lift:.0%} of buyers", covered, 1 - LEVEL - within, most)
    if control != 0.5:
        return off
    bought = frame["bought_within"].to_numpy(bool)
    share = bought.mean()
    for lift in LIFTS[1:]:
        shows = power_of_shares(share, share + _won_over(bought, lift).mean(), len(bought))
        off += _off(
            f"{name}: {lift:.0%} of buyers shows",
            found["buyers show", lift] / splits,
            shows - _by_chance(shows, splits),
            1,
        )
    reference = REFERENCES.get(name)
    if reference and reference.then == len(frame):
        for lift, shows in reference.shows.items():
            least = shows - _by_chance(shows, splits, reference.splits)
            off += _off(f"{name}: {lift:.0%} shows, capped", found["shows, capped", lift] / splits, least, 1)
    return off


def off_peeked(name: str, found: Counter[str], *, splits: int) -> list[str]:
    """What is off of what `peek` found of a population."""
    most = LEVEL + max(PEEKED_WITHIN, _by_chance(LEVEL, splits))
    return _off(f"{name}: a declared look shows what is not there", found["declared"] / splits, 0, most)


def off_balance(name: str, drawn: pd.DataFrame, *, customers: int) -> list[str]:
    """What is off of what `imbalance` found of a population."""
    reference = REFERENCES.get(name)
    if not reference:
        return []
    if reference.now != customers:
        return [
            f"{name}: {customers:,} customers, and the reference drew {reference.now:,}: its balance is not compared."
        ]
    apart, most = drawn["apart"].std(), reference.apart * (1 + ERRORS / sqrt(2 * len(drawn)))
    return [f"{name}: the arms are £{apart:,.0f} apart; expected at most £{most:,.0f}."] if apart > most else []


def main(
    splits: Annotated[int, typer.Option(min=1)] = 2000,
    draws: Annotated[int, typer.Option(min=99)] = 999,
    salts: Annotated[int, typer.Option(min=2)] = 1000,
    only: Annotated[str | None, typer.Option(help="One of the populations.")] = None,
) -> None:
    """Prints the measurements, a population and a lift a line; exits with 1 if any is off."""
    if only not in (None, *POPULATIONS):
        raise typer.BadParameter(f"expected one of {', '.join(POPULATIONS)}; found {only!r}.", param_hint="--only")
    warehouse = Resources.of(Configuration.read()).warehouse
    asked = {name: where for name, where in POPULATIONS.items() if only in (None, name)}
    off = []
    typer.echo(
        "| population | customers | control | lift | pounds show | capped | interval holds it | buyers show "
        "| interval holds it |\n|---|---|---|---|---|---|---|---|---|"
    )
    for control in BLOCK_SIZES:
        for name, where in asked.items():
            frame, cap = population(warehouse, where, control=control)
            found = measure(frame, cap=cap, splits=splits, draws=draws, control=control)
            off += off_measured(name, found, frame=frame, splits=splits, control=control)
            for lift in LIFTS:
                figures = (100 * found[what, lift] / splits for what in _MEASURED)
                shown = " | ".join(f"{figure:.1f}" for figure in figures)
                typer.echo(f"| {name} | {len(frame):,} | {control:.0%} | {lift:.0%} | {shown} |")
    populations = {name: population(warehouse, where) for name, where in asked.items()}
    weeks = weekly(warehouse, POPULATIONS.get(only or "", "true"))
    typer.echo("\n| population | looks | any shows, as declared | any shows, at 5 % each |\n|---|---|---|---|")
    for name, (frame, cap) in populations.items():
        peeked = peek(frame, weeks, cap=cap, splits=splits, draws=draws)
        off += off_peeked(name, peeked, splits=splits)
        shown = " | ".join(f"{100 * peeked[how] / splits:.1f}" for how in ("declared", "at 5 % each"))
        typer.echo(f"| {name} | {len(LOOKS) + 1} | {shown} |")
    typer.echo("\n| population | treated, as drawn | apart, £ | treated, as tossed | apart, £ |\n|---|---|---|---|---|")
    for name, where in asked.items():
        drawn, tossed = imbalance(warehouse, where, salts=salts)
        off += off_balance(name, drawn, customers=_customers(warehouse, where))
        shown = " | ".join(
            f"{balance['treated'].min():,} to {balance['treated'].max():,} | {balance['apart'].std():,.0f}"
            for balance in (drawn, tossed)
        )
        typer.echo(f"| {name} | {shown} |")
    largest = max((frame for frame, _ in populations.values()), key=len)
    taken = seconds(largest)
    off += off_timed(taken, customers=len(largest))
    typer.echo(f"\nTo compare {len(largest):,} customers takes {taken:.1f} seconds of a processor.")
    if off:
        typer.echo("\n" + "\n".join(off), err=True)
        raise typer.Exit(1)


def _start(warehouse: Warehouse) -> datetime:
    (row,) = warehouse.rows(
        "select max(invoice_month) - make_interval(months => :back) as start from monthly_metrics where not is_partial",
        back=MONTHS - 1,
    )
    start: datetime = row.start
    return start


def _outcomes(warehouse: Warehouse, where: str, start: datetime, span: str) -> pd.DataFrame:
    with warehouse.transaction() as connection:
        return outcomes_at(driver_cursor(connection), Audience("some", "Some.", where, {}, Limits()), start, span)


def _won_over(bought: np.ndarray, lift: float) -> np.ndarray:
    """Who would buy only if treated: of those who did not, a share `lift` of all, or half."""
    lots = np.where(bought, 1.0, np.random.default_rng(1).random(len(bought)))
    return np.asarray(np.argsort(np.argsort(lots)) < min(round(lift * len(bought)), (~bought).sum() // 2))


def _splits(blocks: np.ndarray, *, splits: int, share: float, seed: int) -> Iterator[list[Experiment]]:
    """So many draws of the arms within blocks, of each of which a share is treated, some at a time."""
    generator = np.random.default_rng(seed)
    _, block, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    first = np.cumsum(sizes) - sizes
    certain = np.floor(share * sizes + 1e-9).astype(int)
    for begin in range(0, splits, _TOGETHER):
        together = []
        for _ in range(min(_TOGETHER, splits - begin)):
            place = np.empty(len(block), int)
            order = np.lexsort((generator.random(len(block)), block))
            place[order] = np.arange(len(block)) - first[block[order]]
            treated = certain + (generator.random(len(sizes)) < share * sizes - certain)
            together.append(Experiment(block, place < treated[block], share))
        yield together


def _by_chance(share: float, *splits: int) -> float:
    """How far chance may put a share of so many splits from the true one, or from that of so many others."""
    return ERRORS * sqrt(share * (1 - share) * sum(1 / number for number in splits))


def _off(what: str, share: float, low: float, high: float) -> list[str]:
    low, high = max(low, 0.0), min(high, 1.0)
    return [] if low <= share <= high else [f"{what}: {share:.1%}; expected {low:.1%} to {high:.1%}."]


def _customers(warehouse: Warehouse, where: str) -> int:
    return int(warehouse.rows(f"select count(*) as customers from audience_facts where {where}")[0].customers)


def _apart(spend: pd.Series, treated: pd.Index) -> dict[str, float]:
    return {"treated": len(treated), "apart": float(spend[treated].mean() - spend.drop(treated).mean())}


if __name__ == "__main__":
    typer.run(main)
