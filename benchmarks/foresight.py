"""What will happen: our models beside what people would write, on the same customers, days and series.

    python -m benchmarks.foresight [--copies 10] [--task churn_risk]

Everybody is given the same frames, works in a process of their own and only says what they expect. What came is kept
here, and their errors are computed alike. Then ours again for that many times the customers, copies under other ids;
and the seconds that all of foresight took in the run that built the warehouse. CDNOW is in the folder LGS_REAL_DATA.
"""

import os
import sys
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Annotated

import dagster as dg
import numpy as np
import pandas as pd
import typer

from benchmarks.measure import Limits, Measurement, measure
from benchmarks.run import PEERS_PYTHON
from benchmarks.warehouse import WORK, environment, seconds_of_steps, state_folder
from benchmarks.workload import CUSTOMER_IDS_APART
from lgs_assets.assets import foresight
from lgs_assets.models import churn, evaluation, forecast, value
from lgs_assets.models.features import QUIET_DAYS
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring.lineage import ASSETS

Frames = dict[str, pd.DataFrame]

OURS = "foresight"
LIMITS = Limits(seconds=1800, client_bytes=12 * 10**9)
CDNOW_KNOWN, CDNOW_ASKED = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")
"""The end of what is known, and of the 39 weeks that are asked for: those of the papers."""


@dataclass(frozen=True)
class Way:
    """One way to do a task."""

    task: str
    title: str
    module: str = OURS
    model: str = ""


WAYS = (
    Way("cdnow", "LGS"),
    Way("cdnow", "lifetimes", "foresight_lifetimes"),
    Way("customer_value", "LGS, with intervals"),
    Way("customer_value", "lifetimes", "foresight_lifetimes"),
    Way("churn_risk", "LGS"),
    Way("churn_risk", "scikit-learn: logistic regression", "foresight_sklearn", "logistic"),
    Way("churn_risk", "scikit-learn: gradient boosting", "foresight_sklearn", "boosting"),
    Way("forecasts", "LGS: all methods, choice, intervals"),
    Way("forecasts", "statsforecast: SeasonalNaive", "foresight_statsforecast", "SeasonalNaive"),
    Way("forecasts", "statsforecast: AutoETS", "foresight_statsforecast", "AutoETS"),
    Way("forecasts", "statsforecast: MSTL", "foresight_statsforecast", "MSTL"),
)
ERRORS = {
    "cdnow": ("MAE of purchases", "MAE of dollars"),
    "customer_value": ("MAE of purchases", "MAE of pounds"),
    "churn_risk": ("AUC, active in 365 days", "in 90 days", "Loyal Customers"),
    "forecasts": tuple(task.name.replace("forecasts,", "WAPE,") for task in forecast.TASKS),
}
GROWING = ("customer_value", "churn_risk")
"""The tasks whose work depends on the number of customers."""


@dataclass(frozen=True)
class Bench:
    """The server of the warehouse, and the folder of the frames."""

    server: EmbeddedServer
    state: Path
    folder: Path

    def hand_over(self, frames: Frames) -> None:
        """Lays frames where everybody reads them."""
        self.folder.mkdir(exist_ok=True)
        for name, frame in frames.items():
            frame.to_parquet(self.folder / f"{name}.parquet")

    def measure(self, way: Way) -> Measurement:
        """Has a task done."""
        return measure(
            [
                sys.executable if way.module == OURS else str(PEERS_PYTHON),
                *("-m", f"benchmarks.peers.{way.module}", str(self.folder), way.task, way.model),
            ],
            environment=environment(self.state),
            url=self.server.url(),
            data=self.server.data,
            log=self.folder / "clients.log",
            limits=LIMITS,
        )

    def said(self) -> pd.DataFrame:
        """What the last one expects."""
        return pd.read_parquet(self.folder / "said.parquet")


def cdnow(file: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is known of each customer, in weeks and the mean of repeat purchases; and what came."""
    names = ["customer_id", "day", "units", "amount"]
    lines = pd.read_csv(file, sep=r"\s+", names=names, skiprows=1, parse_dates=["day"], date_format="%Y%m%d")
    days = lines[lines["amount"] > 0].groupby(["customer_id", "day"], as_index=False)["amount"].sum()
    known, later = days[days["day"] <= CDNOW_KNOWN], days[days["day"].between(CDNOW_KNOWN, CDNOW_ASKED, "right")]
    by_customer = known.groupby("customer_id")["day"]
    first = by_customer.min()
    repeated = known[known["day"] > known["customer_id"].map(first)]
    told = pd.DataFrame({
        "as_of": CDNOW_KNOWN,
        "x": by_customer.size() - 1.0,
        "t_x": (by_customer.max() - first).dt.days / 7,
        "T": (CDNOW_KNOWN - first).dt.days / 7,
        "mean": repeated.groupby("customer_id")["amount"].mean().reindex(first.index).fillna(0),
    }).reset_index()  # fmt: skip
    came = later.groupby("customer_id")["amount"].agg(came_purchases="size", came_sales="sum")
    return told, came.reindex(first.index).fillna(0).reset_index().assign(as_of=CDNOW_KNOWN)


def customers(warehouse: Warehouse) -> Frames:
    """What the tasks on customers read: for their value, the past days that are judged."""
    outcomes, terms = read_frame(warehouse, "customer_outcomes"), read_frame(warehouse, "prediction_terms")
    valued, at_risk = (
        read_frame(warehouse, "customer_features", read_by(asset))
        for asset in (foresight.VALUED, foresight.AT_RISK_OR_RANKED)
    )
    observed_from = terms["observed_from"].iloc[0]
    over = outcomes.loc[outcomes["purchase_days_182"].notna(), "as_of"].unique()
    judged = sorted(day for day in over if day >= observed_from + pd.Timedelta(days=182))[-value.ORIGINS :]
    others = {f"purchase_days_{days}": None for days in value.HORIZONS if days != 182}
    is_learnable = at_risk["as_of"] >= observed_from + pd.Timedelta(days=QUIET_DAYS)
    return {
        "outcomes": outcomes,
        "value_outcomes": outcomes[outcomes["as_of"].isin(judged)].assign(**others),
        "value_features": valued[valued["as_of"].isin(judged)].assign(observed_from=observed_from),
        "risk_features": at_risk[is_learnable].assign(observed_from=observed_from),
    }


def read_by(asset: dg.AssetIn) -> list[str]:
    """The columns that an asset reads of an input."""
    columns: list[str] = (asset.metadata or {})["columns"]
    return columns


def copied(frame: pd.DataFrame, copies: int) -> pd.DataFrame:
    """A frame with each customer so many times."""
    ids = frame["customer_id"]
    parts = [frame.assign(customer_id=ids + copy * CUSTOMER_IDS_APART) for copy in range(copies)]
    return pd.concat(parts, ignore_index=True)


def series(warehouse: Warehouse) -> tuple[Frames, pd.DataFrame]:
    """What forecasts read, by day and by period; and what came of each period that is asked for at a past origin."""
    daily = read_frame(warehouse, "daily_series")
    months = read_frame(warehouse, "monthly_metrics", read_by(foresight.MONTHS))
    whole = forecast.whole_periods(read_frame(warehouse, "prediction_terms"), months)
    past = forecast.backtests(daily, whole)
    asked = past.loc[past["is_chosen"].astype(bool), [*FORECAST, "actual"]]
    panels = []
    for task in forecast.TASKS:
        panel = forecast.panel_of(daily, task.kind, task.grain, whole[task.grain])
        own = asked[(asked["kind"] == task.kind) & (asked["grain"] == task.grain) & (asked["horizon"] == task.horizon)]
        assert panel is not None  # noqa: S101 (something was asked of it)
        places = np.flatnonzero(np.isin(panel.series, own["series"]))
        panels.append(
            pd.DataFrame({
                "kind": task.kind, "grain": task.grain, "horizon": task.horizon,
                "series": np.repeat(np.array(panel.series)[places], panel.values.shape[1]),
                "period_start": np.tile(panel.starts[:-1], len(places)),
                "value": panel.values[places].ravel(),
                "step": 1 if task.grain == "month" else task.horizon,
                "origins": own["origin"].nunique(),
            })
        )  # fmt: skip
    return {"daily_series": daily, "whole_periods": pd.DataFrame(whole), "panels": pd.concat(panels)}, asked


FORECAST = ["kind", "grain", "horizon", "series", "origin", "period_start"]
"""What a forecast is of."""


def errors_of_amounts(said: pd.DataFrame, came: pd.DataFrame) -> list[float]:
    """The mean absolute errors of purchases and of sales: means of the days, each that of its customers."""
    both = came.merge(said[["as_of", "customer_id", "purchases", "sales"]], on=["as_of", "customer_id"], how="left")
    gaps = both[["purchases", "sales"]].to_numpy(float) - both[["came_purchases", "came_sales"]].to_numpy(float)
    by_day = (
        pd.DataFrame(np.abs(gaps)).fillna(np.inf).groupby(both["as_of"]).mean()
    )  # a customer left out is no success
    return [float(gap) for gap in by_day.mean()]


def errors_of_ranks(said: pd.DataFrame, came: pd.DataFrame) -> list[float]:
    """The AUC of each population: the mean of the days."""
    both = came.merge(said[["as_of", "customer_id", "score"]], on=["as_of", "customer_id"], how="left")
    both["score"] = both["score"].fillna(both["score"].min() - 1)
    return [
        float(np.mean([
            evaluation.auc(day["score"].to_numpy(float), ~day["bought_90"].to_numpy(bool))(np.ones((1, len(day))))
            for _, day in both[belongs(both)].groupby("as_of")
        ]))
        for belongs in evaluation.CHURN_POPULATIONS.values()
    ]  # fmt: skip


def errors_of_forecasts(said: pd.DataFrame, came: pd.DataFrame) -> list[float]:
    """The WAPE of each task, over all its series, origins and periods."""
    both = came.merge(said[[*FORECAST, "forecast"]], on=FORECAST, how="left")
    both["gap"] = (both["forecast"] - both["actual"]).abs().fillna(np.inf)  # nor is a period
    sums = both.groupby(FORECAST[:3])[["gap", "actual"]].sum()
    wape = sums["gap"] / sums["actual"]
    return [float(wape[task.kind, task.grain, task.horizon]) for task in forecast.TASKS]


JUDGES = {
    "cdnow": errors_of_amounts,
    "customer_value": errors_of_amounts,
    "churn_risk": errors_of_ranks,
    "forecasts": errors_of_forecasts,
}


def days_answered(said: pd.DataFrame) -> set[object]:
    """The days on which there is a number for every customer that something is said of."""
    numbers = said[[column for column in ("purchases", "sales", "score") if column in said]]
    is_complete = pd.Series(np.isfinite(numbers.to_numpy(float)).all(axis=1), index=said.index)
    return set(said["as_of"]) - set(said["as_of"][~is_complete])


def compare(bench: Bench, task: str, came: pd.DataFrame) -> None:
    """Prints what each way to do a task comes to, on the days on which all have an answer."""
    taken = {}
    said = {}
    for way in WAYS:
        if way.task == task:
            taken[way.title] = bench.measure(way)
            if not taken[way.title].error:
                said[way.title] = bench.said()
    answered = {title: days_answered(frame) for title, frame in said.items() if "as_of" in frame}
    if answered:
        came = came[came["as_of"].isin(set.intersection(*answered.values()))]
    typer.echo(f"\n| {task} | {' | '.join(ERRORS[task])} | days answered | seconds | × ours | start | CPU s | MB |")
    typer.echo(f"|---|{'---|' * (len(ERRORS[task]) + 6)}")
    ours = next(iter(taken.values())).seconds
    for title, measured in taken.items():
        if measured.error:
            typer.echo(f"| {title} | {measured.error} |")
            continue
        errors = " | ".join(f"{error:.4g}" for error in JUDGES[task](said[title], came))
        typer.echo(
            f"| {title} | {errors} | {len(answered[title]) if answered else '–'} | {measured.seconds:.2f} | "
            f"{measured.seconds / ours:.2f} | {measured.stages['start']:.2f} | {measured.cpu_seconds:.2f} | "
            f"{measured.client_bytes / 1e6:,.0f} |"
        )


def grow(bench: Bench, frames: Frames, task: str, copies: int) -> None:
    """Prints how the seconds of ours grow with the customers, imports left out."""
    taken = []
    for size in (1, copies):
        bench.hand_over({name: copied(frame, size) for name, frame in frames.items()})
        taken.append(bench.measure(Way(task, "LGS")))
    small, large = (measurement.stages[task] for measurement in taken)
    typer.echo(
        f"| {task} | {small:.2f} | {large:.2f} | {log10(large / small) / log10(copies):.2f} | "
        f"{taken[-1].client_bytes / 1e6:,.0f} |"
    )


def cost_in_run(state: Path) -> str:
    """What foresight took of the run that built the warehouse."""
    steps = seconds_of_steps(state)
    tables = {asset.key.to_user_string() for asset in ASSETS if "foresight" in asset.group_names_by_key.values()}
    made = sum(steps[table] for table in tables)
    checked = sum(steps.get(f"checks of {table}", 0) for table in tables)
    return (
        f"{len(tables)} tables of foresight took {made:.1f} s of `lgs run`, their checks {checked:.1f} s, "
        f"all its steps {sum(steps.values()):.1f} s."
    )


def main(
    copies: Annotated[int, typer.Option(min=1, help="How many times the customers; 1 leaves growth out.")] = 10,
    only: Annotated[str | None, typer.Option("--task", help="One of the tasks.")] = None,
) -> None:
    """Prints the measurements, a table a task."""
    real_data = os.environ.get("LGS_REAL_DATA")
    state = state_folder()
    server = EmbeddedServer(state / "postgres")
    warehouse = Warehouse(server.url())
    bench = Bench(server, state, WORK.absolute() / "foresight")
    typer.echo(f"Load average {os.getloadavg()[0]:.2f}.")
    try:
        frames = customers(warehouse)
        periods, came = series(warehouse)
        bench.hand_over(frames | periods)
        outcomes, risk = frames["outcomes"], frames["risk_features"]
        amounts = outcomes.rename(columns={"purchase_days_182": "came_purchases", "sales_182": "came_sales"})
        key = ["as_of", "customer_id"]
        active = churn.active(risk)[[*key, "recency_days", "segment"]]
        answers = {
            "customer_value": amounts.merge(frames["value_features"][key], on=key),
            "churn_risk": active.merge(outcomes[[*key, "bought_90"]], on=key),
            "forecasts": came,
        }
        if real_data and (file := Path(real_data) / "CDNOW_master.txt").exists():
            told, answers["cdnow"] = cdnow(file)
            bench.hand_over({"cdnow": told})
        for task in ERRORS:
            if task in answers and only in (None, task):
                compare(bench, task, answers[task])
        if copies > 1:
            typer.echo(
                f"\n| our seconds | 1× | {copies}× the customers | exponent | MB at {copies}× |\n|---|---|---|---|---|"
            )
            for task in GROWING:
                if only in (None, task):
                    grow(bench, frames, task, copies)
        typer.echo(f"\n{cost_in_run(state)} Load average {os.getloadavg()[0]:.2f}.")
    finally:
        warehouse.engine.dispose()
        server.stop()


if __name__ == "__main__":
    typer.run(main)
