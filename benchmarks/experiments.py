"""Whether experiments are as right as they say, on real customers and what they really bought later.

    python -m benchmarks.experiments [--splits 2000] [--draws 999]

In the warehouse that the environment names, each population as of six months before the end of the whole months is
drawn into arms many times, and a lift of 0, 10 and 20 % is put on every pound of the treated. Of the declared analysis
it prints, in percent: how often an effect shows (with no lift these are false alarms: 5), as pounds are and capped; and
how often the interval holds the true lift (95).
"""

from collections import Counter
from datetime import datetime
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.detectable import outcomes_at
from lgs_assets.action.outcomes import CAP, COVARIATES
from lgs_assets.configuration import Configuration
from lgs_assets.models.lift import LEVEL, Experiment, differences
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


def measure(frame: pd.DataFrame, *, splits: int, draws: int, seed: int = 1) -> Counter[tuple[str, float]]:
    """How often an effect of each lift shows, shows capped, and is in the interval, over so many splits."""
    generator = np.random.default_rng(seed)
    frame = frame.sort_values(["last_year", "customer_id"], ascending=[False, True])
    blocks = np.arange(len(frame)) // BLOCK_SIZE
    net = frame["net_revenue"].to_numpy()
    cap = np.quantile(net, CAP)
    found: Counter[tuple[str, float]] = Counter()
    for split in range(splits):
        place = np.empty(len(frame), int)
        order = np.lexsort((generator.random(len(frame)), blocks))
        place[order] = np.arange(len(frame)) % BLOCK_SIZE
        odd = generator.integers(0, 2, blocks[-1] + 1)[blocks]
        size = np.bincount(blocks)[blocks]
        treated = place < size // 2 + odd * (size % 2)
        lifted = {lift: np.where(treated, net * (1 + lift), net) for lift in LIFTS}
        outcomes = pd.DataFrame(
            {f"net {lift}": values for lift, values in lifted.items()}
            | {f"capped {lift}": np.minimum(values, cap) for lift, values in lifted.items()}
        )
        told = differences(Experiment(blocks, treated, 0.5), outcomes, frame[COVARIATES], seed=split, draws=draws)
        for lift in LIFTS:
            pounds = told[f"net {lift}"]
            found["shows", lift] += pounds.p_value <= LEVEL
            found["shows, capped", lift] += told[f"capped {lift}"].p_value <= LEVEL
            found["covered", lift] += pounds.low <= lift * net.mean() <= pounds.high
    return found


def population(warehouse: Warehouse, where: str) -> pd.DataFrame:
    """The customers of a rule as they were six months before the end of the whole months, and what they did then."""
    (row,) = warehouse.rows(
        "select max(invoice_month) - interval '5 months' as start from monthly_metrics where not is_partial"
    )
    start: datetime = row.start
    with warehouse.transaction() as connection:
        return outcomes_at(driver_cursor(connection), Audience("some", "Some.", where, {}, Limits()), start, "6 months")


def main(
    splits: Annotated[int, typer.Option(min=1)] = 2000,
    draws: Annotated[int, typer.Option(min=99)] = 999,
    only: Annotated[str | None, typer.Option(help="One of the populations.")] = None,
) -> None:
    """Prints the measurements, a population and a lift a line."""
    warehouse = Resources.of(Configuration.read()).warehouse
    typer.echo(
        "| population | customers | lift | shows | shows, capped | interval holds it |\n|---|---|---|---|---|---|"
    )
    for name, where in POPULATIONS.items():
        if only not in (None, name):
            continue
        frame = population(warehouse, where)
        found = measure(frame, splits=splits, draws=draws)
        for lift in LIFTS:
            figures = (100 * found[what, lift] / splits for what in ("shows", "shows, capped", "covered"))
            shown = " | ".join(f"{figure:.1f}" for figure in figures)
            typer.echo(f"| {name} | {len(frame):,} | {lift:.0%} | {shown} |")


if __name__ == "__main__":
    typer.run(main)
