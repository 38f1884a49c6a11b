"""How wrong models have been: on past days, beside their baselines, with what chance alone would move the figure by.

Every interval is a bootstrap's: customers, or the origins of forecasts, are drawn again with replacement, the same ones
for all folds. The figure `pooled` is the mean of the folds, as is its interval; for forecasts, that of all values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models import churn, forecast, slipping, value
from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

POOLED = "pooled"
CHOSEN = "best method so far"
"""What evaluations call the methods that would have been used."""
CALIBRATED_WITHIN = 0.06
"""The mean gap between predicted and observed shares up to which a probability is shown as one."""
BINS = 10

_SEED = 5878
_DRAWS = 100
_ENDS = (0.025, 0.975)
_LEAST_DRAWN = 3
"""Of fewer customers or origins nothing can be drawn."""

COLUMNS = [
    *("task", "model", "fold", "metric", "source", "value", "ci_low", "ci_high", "n", "baseline", "baseline_value"),
    *("is_better", "is_used", "unavailable_because"),
]
SMALLER_IS_BETTER = {
    *("mae_purchases", "mae_sales", "total_error_purchases", "total_error_sales"),
    *("calibration_error", "brier", "wape"),
}
DECIDING = {"customer_value": "mae_purchases", "churn_risk": "auc", "slipping": "auc", "forecasts": "wape"}
"""The metric that decides whether a model or its baseline makes the predictions, by table."""

CHURN_POPULATIONS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "churn_risk, active in the last 365 days": lambda rows: rows["recency_days"] <= 365,
    "churn_risk, active in the last 90 days": lambda rows: rows["recency_days"] <= 90,
    "churn_risk, Loyal Customers": lambda rows: rows["segment"] == "Loyal Customers",
}
SLIPPING_TASK = "slipping, Loyal Customers and Champions"
VALUE_TASK = "customer_value, 182 days"

Metric = Callable[[Array], Array]
"""From weights of shape (draws, rows) to a figure a draw."""


def mean_of(values: Array) -> Metric:
    """The mean of values."""
    return lambda weights: weights @ values / weights.sum(axis=1)


def total_error(predicted: Array, actual: Array) -> Metric:
    """The absolute error of the total, as a share of the actual one."""
    return lambda weights: np.abs(weights @ predicted / (weights @ actual) - 1)


def share_of_top(predicted: Array, actual: Array) -> Metric:
    """The share of the actual total with the tenth that was rated highest; equal ones in their order."""
    top = np.zeros(len(predicted), dtype=bool)
    top[np.argsort(-predicted, kind="stable")[: int(np.ceil(len(predicted) / 10))]] = True
    return lambda weights: weights @ (actual * top) / (weights @ actual)


def auc(score: Array, happened: npt.NDArray[np.bool_]) -> Metric:
    """How often one that it befell is ranked above one that it did not; equal scores count half."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))

    def figure(weights: Array) -> Array:
        befell = np.add.reduceat(weights[:, order] * happened[order], starts, axis=1)
        spared = np.add.reduceat(weights[:, order] * ~happened[order], starts, axis=1)
        below = np.cumsum(spared, axis=1) - spared / 2
        with np.errstate(invalid="ignore"):
            found: Array = (befell * below).sum(axis=1) / (befell.sum(axis=1) * spared.sum(axis=1))
        return found

    return figure


def calibration_error(probability: Array, happened: npt.NDArray[np.bool_]) -> Metric:
    """The gap between predicted and observed share in ten equal bins of probability, averaged over customers."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = np.zeros((len(probability), BINS))
    gaps[np.arange(len(probability)), bins] = probability - happened
    return lambda weights: np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)


@dataclass(frozen=True)
class _Draws:
    """The same customers drawn again and again; the first draw is all of them, once each."""

    place: dict[object, int]
    weights: Array

    @classmethod
    def of(cls, customers: pd.Series) -> "_Draws":
        known = sorted(set(customers))
        drawn = np.random.default_rng(_SEED).multinomial(len(known), np.full(len(known), 1 / len(known)), _DRAWS)
        return cls({each: place for place, each in enumerate(known)}, np.vstack([np.ones(len(known)), drawn]))

    def figures(self, customers: pd.Series, metric: Metric) -> Array:
        """The figure of all, and then those of the draws."""
        return metric(self.weights[:, [self.place[each] for each in customers]])


@one_thread
def evaluated(
    values: pd.DataFrame,
    risks: pd.DataFrame,
    forecasts: pd.DataFrame,
    live: pd.DataFrame,
    *,
    unavailable_because: str | None = None,
) -> pd.DataFrame:
    """Every figure: one row a task, model, fold, metric and source, with the columns COLUMNS.

    `values`, `risks` and `forecasts` have the columns of the tables of back-tests, `live` those of
    `judged_predictions`. A task without any row, and each of them if nothing is predicted, has one row with the reason.
    """
    rows: list[dict[str, object]] = [*_values(values), *_risks(risks), *_forecasts(forecasts), *_live(live)]
    found = {row["task"] for row in rows}
    reason = unavailable_because or "No past window is over."
    missing = [task for task in all_tasks() if task not in found]
    rows += [_without(task, reason) for task in missing]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return _settled(frame).sort_values(["task", "model", "source", "metric", "fold"], ignore_index=True)


def all_tasks() -> list[str]:
    """Every task that is judged."""
    return [VALUE_TASK, *CHURN_POPULATIONS, SLIPPING_TASK, *(task.name for task in forecast.TASKS)]


def is_used(evaluations: pd.DataFrame, task: str) -> bool:
    """Whether the model of a task, rather than its baseline, is to make predictions."""
    rows = evaluations[(evaluations["task"] == task) & evaluations["is_used"]]
    return bool((rows["baseline"].notna() & (rows["model"] != rows["baseline"])).any())


def calibration(evaluations: pd.DataFrame) -> float:
    """The pooled calibration error of the risk of active customers; infinite if it is not known."""
    (task, *_) = CHURN_POPULATIONS
    rows = evaluations.set_index(["task", "model", "fold", "metric"])["value"]
    return float(rows.get((task, churn.MODEL, POOLED, "calibration_error"), np.inf))


def _values(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    def metrics(day: pd.DataFrame, kind: str) -> dict[str, Metric]:
        purchases, sales = (day[f"{kind}{name}"].to_numpy(float) for name in ("purchases", "sales"))
        bought, spent = day["actual_purchases"].to_numpy(float), day["actual_sales"].to_numpy(float)
        made = {
            "mae_purchases": mean_of(np.abs(purchases - bought)),
            "mae_sales": mean_of(np.abs(sales - spent)),
            "total_error_purchases": total_error(purchases, bought),
            "total_error_sales": total_error(sales, spent),
            "top_decile_share": share_of_top(sales, spent),
        }
        if not kind:
            within = day["actual_purchases"].between(day["purchases_low"], day["purchases_high"])
            made["coverage_80"] = mean_of(np.asarray(within, dtype=float))
        return made

    models = {value.MODEL: lambda day: metrics(day, ""), value.BASELINE: lambda day: metrics(day, "baseline_")}
    yield from _by_fold(rows, VALUE_TASK, models, value.BASELINE)


def _risks(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    def ranked(column: str) -> Callable[[pd.DataFrame], dict[str, Metric]]:
        return lambda day: {"auc": auc(day[column].to_numpy(float), day["happened"].to_numpy(bool))}

    def probable(day: pd.DataFrame) -> dict[str, Metric]:
        probability, happened = day["probability"].to_numpy(float), day["happened"].to_numpy(bool)
        errors = {
            "calibration_error": calibration_error(probability, happened),
            "brier": mean_of(np.asarray(np.square(probability - happened.astype(float)))),
        }
        return {**ranked("score")(day), **errors}

    asked = rows[rows["task"] == "churn_risk"]
    models: dict[str, Callable[[pd.DataFrame], dict[str, Metric]]]
    models = {churn.MODEL: probable, churn.BASELINE: ranked("baseline_score"), "BG/NBD alone": ranked("bgnbd_score")}
    for task, belongs in CHURN_POPULATIONS.items():
        yield from _by_fold(asked[belongs(asked)], task, models, churn.BASELINE)
    models = {
        slipping.MODEL: ranked("score"),
        slipping.BASELINE: ranked("baseline_score"),
        "BG/NBD alone": ranked("bgnbd_score"),
    }
    yield from _by_fold(rows[rows["task"] == "slipping"], SLIPPING_TASK, models, slipping.BASELINE)


def _by_fold(
    rows: pd.DataFrame,
    task: str,
    models: dict[str, Callable[[pd.DataFrame], dict[str, Metric]]],
    baseline: str,
) -> Iterator[dict[str, object]]:
    """The figures of each model on each day and on all of them."""
    if rows.empty:
        return
    draws = _Draws.of(rows["customer_id"])
    found: dict[tuple[str, str], dict[str, Array]] = {}
    sizes = {POOLED: len(rows)}
    for day, asked in rows.sort_values(["as_of", "customer_id"]).groupby("as_of"):
        fold = f"{day:%Y-%m-%d}"
        sizes[fold] = len(asked)
        for model, metrics in models.items():
            for name, metric in metrics(asked).items():
                found.setdefault((model, name), {})[fold] = draws.figures(asked["customer_id"], metric)
    for (model, name), folds in found.items():
        for fold, drawn in {**folds, POOLED: np.mean(list(folds.values()), axis=0)}.items():
            beside = found.get((baseline, name), {})
            rival = np.mean(list(beside.values()), axis=0) if fold == POOLED and beside else beside.get(fold)
            yield _row(task, model, fold, name, drawn, sizes[fold], baseline, None if rival is None else rival[0])


def _forecasts(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    for task in forecast.TASKS:
        own = rows[(rows["kind"] == task.kind) & (rows["grain"] == task.grain) & (rows["horizon"] == task.horizon)]
        if own.empty:
            continue
        chosen = own[own["is_chosen"]]
        models = {CHOSEN: chosen} | {str(name): tried for name, tried in own.groupby("method")}
        rival = _wape(own[own["method"] == task.baseline])
        for model, tried in models.items():
            n = len(tried)
            yield _row(task.name, model, POOLED, "wape", _over_origins(tried, _wape), n, task.baseline, rival)
            yield _row(task.name, model, POOLED, "bias", _over_origins(tried, _bias), n, None, None)
        for origin, tried in chosen.groupby("origin"):
            fold, beside = f"{origin:%Y-%m-%d}", own[(own["origin"] == origin) & (own["method"] == task.baseline)]
            one = np.array([_wape(tried)])
            yield _row(task.name, CHOSEN, fold, "wape", one, len(tried), task.baseline, _wape(beside))
        known = chosen[chosen["low_80"].notna()]
        if len(known):
            for level in forecast.LEVELS:
                covered = _over_origins(known, partial(_coverage, level=level))
                yield _row(task.name, CHOSEN, POOLED, f"coverage_{level}", covered, len(known), None, None)


def _live(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """The figures of predictions as they were made, by the moment that they were made from."""
    judged_days = rows["window_until"] - rows["window_from"] == pd.Timedelta(days=value.JUDGED)
    values = rows[(rows["task"] == "customer_value") & judged_days]
    risks, ranks = rows[rows["task"] == "churn_risk"], rows[rows["task"] == "slipping"]
    (active, *_) = CHURN_POPULATIONS
    for task, asked in ((VALUE_TASK, values), (active, risks), (SLIPPING_TASK, ranks)):
        for (as_of, model, figure), part in asked.groupby(["as_of", "model", "figure"]):
            point, actual = part["point"].to_numpy(float), part["actual"].to_numpy(float)
            befell = actual == 1
            metrics: dict[str, Metric]
            if task == VALUE_TASK:
                metrics = {
                    f"mae_{figure}": mean_of(np.abs(point - actual)),
                    f"total_error_{figure}": total_error(point, actual),
                }
            elif task == active:
                metrics = {
                    "auc": auc(point, befell),
                    "calibration_error": calibration_error(point, befell),
                    "brier": mean_of(np.asarray(np.square(point - actual))),
                }
            else:
                metrics = {"auc": auc(-point, befell)}
            draws = _Draws.of(part["subject"])
            for name, metric in metrics.items():
                drawn = draws.figures(part["subject"], metric)
                row = _row(task, str(model), f"{as_of:%Y-%m-%d}", name, drawn, len(part), None, None)
                yield row | {"source": "live"}
    sold = rows[rows["task"] == "forecasts"].rename(columns={"point": "forecast"})
    for one in forecast.TASKS:
        is_own = sold["subject"].str.startswith(f"{one.kind}: ")
        own = sold[is_own & (sold["figure"] == f"amount by {one.grain}, {one.horizon} ahead")]
        for (as_of, model), part in own.groupby(["as_of", "model"]):
            fold, figures = f"{as_of:%Y-%m-%d}", np.array([_wape(part)])
            yield _row(one.name, str(model), fold, "wape", figures, len(part), None, None) | {"source": "live"}


def _wape(rows: pd.DataFrame) -> float:
    total = rows["actual"].sum()
    return float((rows["forecast"] - rows["actual"]).abs().sum() / total) if total > 0 else np.nan


def _bias(rows: pd.DataFrame) -> float:
    total = rows["actual"].sum()
    return float((rows["forecast"] - rows["actual"]).sum() / total) if total > 0 else np.nan


def _coverage(rows: pd.DataFrame, level: int) -> float:
    return float(rows["actual"].between(rows[f"low_{level}"], rows[f"high_{level}"]).mean())


def _over_origins(rows: pd.DataFrame, figure: Callable[[pd.DataFrame], float]) -> Array:
    """The figure of all origins, and of as many drawn from them again and again."""
    origins = [part for _, part in rows.groupby("origin")]
    if len(origins) < _LEAST_DRAWN:
        return np.array([figure(rows)])
    drawn = np.random.default_rng(_SEED).integers(0, len(origins), (_DRAWS, len(origins)))
    # A figure of parts drawn with replacement is that of the parts, as often as each was drawn.
    sums = np.array([_sums(part, figure) for part in origins])
    return np.append(figure(rows), sums[drawn, 0].sum(axis=1) / sums[drawn, 1].sum(axis=1))


def _sums(rows: pd.DataFrame, figure: Callable[[pd.DataFrame], float]) -> tuple[float, float]:
    """What a figure divides, and by what."""
    below = float(rows["actual"].sum()) if figure in (_wape, _bias) else float(len(rows))
    above = figure(rows) * below
    return (above, below) if np.isfinite(above) else (0.0, 0.0)


def _row(
    task: str, model: str, fold: str, metric: str, drawn: Array, n: int, baseline: str | None, rival: float | None
) -> dict[str, object]:
    found, sample = float(drawn[0]), drawn[1:][np.isfinite(drawn[1:])]
    row = _without(task, "The figure is not defined: nothing of the kind came.") | {
        "model": model, "fold": fold, "metric": metric, "n": n, "baseline": baseline,
    }  # fmt: skip
    if not np.isfinite(found):
        return row
    row |= {"value": found, "unavailable_because": None}
    if len(sample) >= _DRAWS // 2:
        low, high = np.quantile(sample, _ENDS)
        row |= {"ci_low": min(float(low), found), "ci_high": max(float(high), found)}
    if baseline and rival is not None and np.isfinite(rival) and model != baseline:
        is_better = found < rival if metric in SMALLER_IS_BETTER else found > rival
        row |= {"baseline_value": float(rival), "is_better": bool(is_better)}
    return row


def _without(task: str, reason: str) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    return row | {
        "task": task, "model": "none", "fold": POOLED, "metric": DECIDING[table_of(task)], "source": "back-test",
        "value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": 0, "baseline_value": np.nan, "is_used": False,
        "unavailable_because": reason,
    }  # fmt: skip


def table_of(task: str) -> str:
    """The table of predictions that a task judges."""
    return task.partition(",")[0]


def _settled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the models that are used: those that beat their baseline on all folds together, else the baseline.

    What `churn_risk` is made by is decided on all active customers.
    """
    is_pooled = (rows["fold"] == POOLED) & (rows["source"] == "back-test")
    pooled = rows[is_pooled & (rows["metric"] == rows["task"].map(table_of).map(DECIDING))]
    makers = {value.MODEL, churn.MODEL, slipping.MODEL, CHOSEN}
    better = {row.task: row for row in pooled.itertuples() if row.model in makers and row.is_better is True}
    (active, *_) = CHURN_POPULATIONS
    deciding = rows["task"].where(~rows["task"].isin(CHURN_POPULATIONS), active)
    won = deciding.isin(better)
    is_maker, is_baseline = rows["model"].isin(makers), rows["model"] == rows["baseline"]
    return rows.assign(is_used=((won & is_maker) | (~won & is_baseline)) & (rows["source"] == "back-test"))
