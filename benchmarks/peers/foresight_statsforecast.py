"""statsforecast: sales to come, by one model for all series. Arguments: folder, task, model."""

import sys
from pathlib import Path

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import MSTL, AutoETS, SeasonalNaive

from benchmarks.peers.common import done

MODELS = {model.__name__: model for model in (SeasonalNaive, AutoETS, MSTL)}
PERIODS = {"month": (12, "MS"), "week": (52, "W-MON")}


def forecasts(folder: Path, model: str) -> pd.DataFrame:
    """What the model says at each origin of each group of series."""
    said: list[pd.DataFrame] = []
    panels = pd.read_parquet(folder / "panels.parquet")
    for (kind, grain, horizon), panel in panels.groupby(["kind", "grain", "horizon"]):
        season, frequency = PERIODS[str(grain)]
        # With less than two years, STL has no season to find.
        forecaster = StatsForecast(
            [MODELS[model](season_length=season, alias="forecast")],
            freq=frequency,
            fallback_model=SeasonalNaive(season_length=season, alias="forecast"),
        )
        found = forecaster.cross_validation(
            h=horizon,
            df=panel[["series", "period_start", "value"]],
            n_windows=panel["origins"].iloc[0],
            step_size=panel["step"].iloc[0],
            id_col="series",
            time_col="period_start",
            target_col="value",
        )
        origin = found.groupby("cutoff")["period_start"].transform("min")
        said.append(found.assign(kind=kind, grain=grain, horizon=horizon, origin=origin))
    return pd.concat(said, ignore_index=True)


if __name__ == "__main__":
    folder, task, model = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    done("start")
    forecasts(folder, model).to_parquet(folder / "said.parquet")
    done(task)
