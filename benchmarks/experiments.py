"""Whether experiments are as right as they say, on real customers and what they really bought later.

    python -m benchmarks.experiments [--splits 2000] [--draws 999] [--only "At Risk"]

In the warehouse that the environment names, each population as of six months before the end of the whole months is
drawn into arms many times, within blocks of four by segment and spend. Three tables, in percent but for pounds:

- A lift of 0, 10 and 20 % is put on every pound of the treated. How often an effect shows (with no lift these are false
  alarms: 5), as pounds are and capped; and how often the interval holds the true lift (95).
- With no lift, a look each week from the fourth on. How often any shows an effect: as declared, and at 5 % each.
- Of the customers of today, drawn with many salts: how far apart the mean past spend of the arms is, in pounds (one
  standard deviation), and the sizes of the arm; by the draw of the platform, and by a toss for each customer.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from psycopg import sql

from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.experiments.detectable import outcomes_at
from lgs_assets.action.experiments.outcomes import CAP, COVARIATES
from lgs_assets.action.experiments.starting import arms
from lgs_assets.configuration import Configuration
from lgs_assets.models.judging import LEVEL
from lgs_assets.models.lift import Experiment, differences_of_splits, look_levels
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
BLOCK_SIZE = 4
DAYS = 182
LOOKS = range(28, DAYS, 7)
SALTS = 1000
_TOGETHER = 50
"""Splits that are compared with the same other draws: to draw takes longer than to compare."""


def measure(frame: pd.DataFrame, *, splits: int, draws: int, seed: int = 1) -> Counter[tuple[str, float]]:
    """How often an effect of each lift shows, shows capped, and is in the interval, over so many splits.

    `frame` has the outcomes of customers, and the block of each.
    """
    net = frame["net_revenue"].to_numpy()
    cap = np.quantile(net, CAP)
    found: Counter[tuple[str, float]] = Counter()
    for number, experiments in enumerate(_splits(frame["block"].to_numpy(), splits=splits, seed=seed)):
        outcomes = []
        for experiment in experiments:
            lifted = {lift: net * (1 + lift * experiment.treated) for lift in LIFTS}
            capped = {f"capped {lift}": np.minimum(values, cap) for lift, values in lifted.items()}
            outcomes.append(pd.DataFrame({f"net {lift}": values for lift, values in lifted.items()} | capped))
        for told in differences_of_splits(
            list(zip(experiments, outcomes, strict=True)), frame[COVARIATES], seed=number, draws=draws
        ):
            for lift in LIFTS:
                pounds = told[f"net {lift}"]
                found["shows", lift] += pounds.p_value <= LEVEL
                found["shows, capped", lift] += told[f"capped {lift}"].p_value <= LEVEL
                found["covered", lift] += pounds.low <= lift * net.mean() <= pounds.high
    return found


def peek(frame: pd.DataFrame, looks: pd.DataFrame, *, splits: int, draws: int, seed: int = 1) -> Counter[str]:
    """How often any look shows an effect that does not exist, as declared and at LEVEL each.

    `looks` has net revenue by days of the window, for the customers of the frame.
    """
    known = looks.loc[frame["customer_id"]].reset_index(drop=True)
    known = known.clip(upper=float(known[DAYS].quantile(CAP)))
    passed = [days / DAYS for days in (*LOOKS, DAYS)]
    found: Counter[str] = Counter()
    for number, experiments in enumerate(_splits(frame["block"].to_numpy(), splits=splits, seed=seed)):
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
            cursor.execute(arms(population, size=BLOCK_SIZE, share=Decimal("0.5"), salt=salt))
            treated = [customer for customer, _, _, arm in cursor.fetchall() if arm == "treated"]
        drawn.append(_apart(spend, pd.Index(treated)))
        heads = [each for each in spend.index if sha256(f"{salt}:{each}".encode()).digest()[0] < 256 // 2]
        tossed.append(_apart(spend, pd.Index(heads)))
    return pd.DataFrame(drawn), pd.DataFrame(tossed)


def population(warehouse: Warehouse, where: str) -> pd.DataFrame:
    """The customers of a rule six months before the end of the whole months, what they did then, and their blocks."""
    start = _start(warehouse)
    frame = _outcomes(warehouse, where, start, "6 months")
    members = sql.SQL(
        "select customer_id, segment, segment as stratum, monetary as place_by from rfm_history "
        "where snapshot_date = {start} and {where}"
    ).format(start=sql.Literal(start), where=sql.SQL(where))
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(arms(members, size=BLOCK_SIZE, share=Decimal("0.5"), salt=""))
        blocks = {customer: block for customer, block, _, _ in cursor.fetchall()}
    return frame.assign(block=frame["customer_id"].map(blocks))


def main(
    splits: Annotated[int, typer.Option(min=1)] = 2000,
    draws: Annotated[int, typer.Option(min=99)] = 999,
    only: Annotated[str | None, typer.Option(help="One of the populations.")] = None,
) -> None:
    """Prints the measurements, a population and a lift a line."""
    warehouse = Resources.of(Configuration.read()).warehouse
    asked = {name: where for name, where in POPULATIONS.items() if only in (None, name)}
    frames = {name: population(warehouse, where) for name, where in asked.items()}
    typer.echo(
        "| population | customers | lift | shows | shows, capped | interval holds it |\n|---|---|---|---|---|---|"
    )
    for name, frame in frames.items():
        found = measure(frame, splits=splits, draws=draws)
        for lift in LIFTS:
            figures = (100 * found[what, lift] / splits for what in ("shows", "shows, capped", "covered"))
            shown = " | ".join(f"{figure:.1f}" for figure in figures)
            typer.echo(f"| {name} | {len(frame):,} | {lift:.0%} | {shown} |")
    start = _start(warehouse)
    weeks = {
        days: _outcomes(warehouse, "true", start, f"{days} days").set_index("customer_id")["net_revenue"]
        for days in LOOKS
    }
    typer.echo("\n| population | looks | any shows, as declared | any shows, at 5 % each |\n|---|---|---|---|")
    for name, frame in frames.items():
        looks = pd.DataFrame(weeks | {DAYS: frame.set_index("customer_id")["net_revenue"]})
        peeked = peek(frame, looks, splits=splits, draws=draws)
        shown = " | ".join(f"{100 * peeked[how] / splits:.1f}" for how in ("declared", "at 5 % each"))
        typer.echo(f"| {name} | {looks.shape[1]} | {shown} |")
    typer.echo("\n| population | treated, as drawn | apart, £ | treated, as tossed | apart, £ |\n|---|---|---|---|---|")
    for name, where in asked.items():
        shown = " | ".join(
            f"{balance['treated'].min():,} to {balance['treated'].max():,} | {balance['apart'].std():,.0f}"
            for balance in imbalance(warehouse, where, salts=SALTS)
        )
        typer.echo(f"| {name} | {shown} |")


def _start(warehouse: Warehouse) -> datetime:
    (row,) = warehouse.rows(
        "select max(invoice_month) - interval '5 months' as start from monthly_metrics where not is_partial"
    )
    start: datetime = row.start
    return start


def _outcomes(warehouse: Warehouse, where: str, start: datetime, span: str) -> pd.DataFrame:
    with warehouse.transaction() as connection:
        return outcomes_at(driver_cursor(connection), Audience("some", "Some.", where, {}, Limits()), start, span)


def _splits(blocks: np.ndarray, *, splits: int, seed: int) -> Iterator[list[Experiment]]:
    """So many draws of the arms within blocks, some at a time."""
    generator = np.random.default_rng(seed)
    _, block, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    first = np.cumsum(sizes) - sizes
    for begin in range(0, splits, _TOGETHER):
        together = []
        for _ in range(min(_TOGETHER, splits - begin)):
            place = np.empty(len(block), int)
            order = np.lexsort((generator.random(len(block)), block))
            place[order] = np.arange(len(block)) - first[block[order]]
            half = sizes // 2 + generator.integers(0, 2, len(sizes)) * (sizes % 2)
            together.append(Experiment(block, place < half[block], 0.5))
        yield together


def _apart(spend: pd.Series, treated: pd.Index) -> dict[str, float]:
    return {"treated": len(treated), "apart": float(spend[treated].mean() - spend.drop(treated).mean())}


if __name__ == "__main__":
    typer.run(main)
