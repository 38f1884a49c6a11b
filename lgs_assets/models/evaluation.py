"""How wrong models have been: on past days, beside their baselines, with what chance alone would move the figure by.

Every interval is a bootstrap's: customers, or the origins of forecasts, are drawn again with replacement, the same ones
for all folds and for a model and its baseline, so that their difference has an interval as well. The figure `pooled` is
the mean of the folds on which it is defined, as is its interval; for forecasts, that of all values. Origins whose
windows overlap are drawn as blocks of neighbours (Künsch 1989): what came is the same in part. At a single origin
series are drawn. Predictions as they were made are judged by the same functions, with what their baselines said then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models import churn, forecast, slipping, value
from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

POOLED = "pooled"
CHOSEN = "best method so far"
"""What evaluations call the methods that would have been used."""
LEARNT = "chosen from earlier days alone, the baseline at first"
"""The same, had no method been set with the reported origins in view."""
CALIBRATED_WITHIN = 0.06
"""The mean gap between predicted and observed shares up to which a probability is shown as one."""
BINS = 10

_SEED = 5878
_DRAWS = 100
"""Of customers: each draw weighs thousands of them."""
_ORIGIN_DRAWS = 1000
_ENDS = (0.025, 0.975)
_LEAST_DRAWN = 3
"""Of fewer origins or series, or blocks of origins side by side, nothing can be drawn."""

COLUMNS = [
    *("task", "model", "fold", "metric", "source", "value", "ci_low", "ci_high", "n", "baseline", "baseline_value"),
    *("difference", "difference_low", "difference_high", "is_better", "is_used", "unavailable_because"),
]
SMALLER_IS_BETTER = {
    *("mae_purchases", "mae_sales", "total_error_purchases", "total_error_sales"),
    *("calibration_error", "brier", "wape", "mae_next_day"),
}
_DECIDING = {"customer_value": "mae_purchases", "churn_risk": "auc", "slipping": "auc", "forecasts": "wape"}

CHURN_POPULATIONS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "churn_risk, active in the last 365 days": lambda rows: rows["recency_days"] <= 365,
    "churn_risk, active in the last 90 days": lambda rows: rows["recency_days"] <= 90,
    "churn_risk, Loyal Customers": lambda rows: rows["segment"] == "Loyal Customers",
}
DUE_TASK = "churn_risk, expected next purchase"
SLIPPING_TASK = "slipping, Loyal Customers and Champions"


def value_task(horizon: int) -> str:
    """What evaluations call the value of so many days."""
    return f"customer_value, {horizon} days"


Metric = Callable[[Array], Array]
"""From weights of shape (draws, rows) to a figure a draw."""


def mean_of(values: Array) -> Metric:
    """The mean of values."""
    return lambda weights: weights @ values / weights.sum(axis=1)


def _ratio(above: Array, below: Array) -> Array:
    """NaN where nothing of the kind came."""
    shares: Array = np.full(below.shape, np.nan)
    np.divide(above, below, out=shares, where=below > 0)
    return shares


def total_error(predicted: Array, actual: Array) -> Metric:
    """The absolute error of the total, as a share of the actual one."""
    return lambda weights: np.abs(_ratio(weights @ predicted, weights @ actual) - 1)


def share_of_top(predicted: Array, actual: Array) -> Metric:
    """The share of the actual total with the tenth that was rated highest; equal ones in their order."""
    top = np.zeros(len(predicted), dtype=bool)
    top[np.argsort(-predicted, kind="stable")[: int(np.ceil(len(predicted) / 10))]] = True
    return lambda weights: _ratio(weights @ (actual * top), weights @ actual)


def auc(score: Array, happened: npt.NDArray[np.bool_]) -> Metric:
    """How often one that it befell is ranked above one that it did not; equal scores count half."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))

    def figure(weights: Array) -> Array:
        befell = np.add.reduceat(weights[:, order] * happened[order], starts, axis=1)
        spared = np.add.reduceat(weights[:, order] * ~happened[order], starts, axis=1)
        below = np.cumsum(spared, axis=1) - spared / 2
        return _ratio((befell * below).sum(axis=1), befell.sum(axis=1) * spared.sum(axis=1))

    return figure


def tenths(probability: Array) -> npt.NDArray[np.int64]:
    """The tenth that each is in, 0 for the lowest: as many in each, as deciles cut them; equal ones in their order."""
    rank = np.empty(len(probability), dtype=np.int64)
    rank[np.argsort(probability, kind="stable")] = np.arange(len(probability))
    return np.maximum(-(-BINS * rank // max(len(probability) - 1, 1)) - 1, 0)


def calibration_error(probability: Array, happened: npt.NDArray[np.bool_]) -> Metric:
    """The gap between predicted and observed share in each tenth of customers by probability, averaged over them."""
    gaps = np.zeros((len(probability), BINS))
    gaps[np.arange(len(probability)), tenths(probability)] = probability - happened
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

    def weights_of(self, customers: pd.Series) -> Array:
        """How often each of these is in all customers, once, and then in the draws."""
        return self.weights[:, [self.place[each] for each in customers]]


@one_thread
def evaluated(
    values: pd.DataFrame,
    risks: pd.DataFrame,
    forecasts: pd.DataFrame,
    live: pd.DataFrame,
    unavailable_because: str | None = None,
) -> pd.DataFrame:
    """Every figure: one row a task, model, fold, metric and source, with the columns COLUMNS.

    `values`, `risks` and `forecasts` have the columns of the tables of back-tests, `live` those of
    `judged_predictions`. A task without any row, and each of them if nothing is predicted, has one row with the reason.
    """
    rows: list[dict[str, object]] = [
        *_values(values.assign(model=value.MODEL), "back-test"),
        *_risks(risks, "back-test"),
        *_forecasts(forecasts, "back-test"),
        *_live(live),
    ]
    found = {row["task"] for row in rows}
    reason = unavailable_because or "No past window is over."
    missing = [task for task in all_tasks() if task not in found]
    rows += [_without(task, reason) for task in missing]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return _settled(frame).sort_values(["task", "model", "source", "metric", "fold"], ignore_index=True)


def all_tasks() -> list[str]:
    """Every task that is judged."""
    values = map(value_task, value.HORIZONS)
    return [*values, *CHURN_POPULATIONS, DUE_TASK, SLIPPING_TASK, *(task.name for task in forecast.TASKS)]


def is_used(evaluations: pd.DataFrame, task: str) -> bool:
    """Whether the model of a task, rather than its baseline, is to make predictions."""
    rows = evaluations[(evaluations["task"] == task) & evaluations["is_used"]]
    return bool((rows["baseline"].notna() & (rows["model"] != rows["baseline"])).any())


def calibration(evaluations: pd.DataFrame) -> float:
    """The pooled calibration error of what predicts the risk of active customers; infinite if it is not known."""
    (active, *_) = CHURN_POPULATIONS
    is_asked = (evaluations["task"] == active) & (evaluations["metric"] == "calibration_error")
    is_past = (evaluations["fold"] == POOLED) & (evaluations["source"] == "back-test")
    rows = evaluations[is_asked & is_past & evaluations["is_used"]]
    return float(rows["value"].iloc[0]) if len(rows) else np.inf


Row = dict[str, object]
Models = dict[str, dict[str, Metric]]
"""The metrics of each model, by names."""


def _values(rows: pd.DataFrame, source: str) -> Iterator[Row]:
    def metrics(day: pd.DataFrame, kind: str) -> dict[str, Metric]:
        purchases, sales = (day[f"{kind}{name}"].to_numpy(float) for name in ("purchases", "sales"))
        bought, spent = day["actual_purchases"].to_numpy(float), day["actual_sales"].to_numpy(float)
        return {
            "mae_purchases": mean_of(np.abs(purchases - bought)),
            "mae_sales": mean_of(np.abs(sales - spent)),
            "total_error_purchases": total_error(purchases, bought),
            "total_error_sales": total_error(sales, spent),
            "top_decile_share": share_of_top(sales, spent),
        }

    def covered(day: pd.DataFrame) -> dict[str, Metric]:
        if day["purchases_low"].isna().any():
            return {}
        return {
            f"coverage_80_{figure}": mean_of(
                _within(day[f"actual_{figure}"], *(day[f"{figure}_{end}"].to_numpy(float) for end in ("low", "high")))
            )
            for figure in ("purchases", "sales")
        }

    def models(day: pd.DataFrame) -> Models:
        own = metrics(day, "") | covered(day)
        if "expected_within" in day:
            own["expected_coverage"] = mean_of(day["expected_within"].to_numpy(float))
        return _beside(day, value.BASELINE, "baseline_purchases", lambda: metrics(day, "baseline_"), own)

    for horizon, asked in rows.groupby("horizon_days"):
        yield from _by_fold(asked, value_task(int(str(horizon))), models, value.BASELINE, source)


def _within(actual: pd.Series, low: Array, high: Array) -> Array:
    came = actual.to_numpy(float)
    return np.asarray((low <= came) & (came <= high), dtype=float)


def _beside(
    day: pd.DataFrame, baseline: str, column: str, judged: Callable[[], dict[str, Metric]], own: dict[str, Metric]
) -> Models:
    """The metrics of the day's model beside those of the baseline, as far as it is known what that said."""
    return ({baseline: judged()} if day[column].notna().all() else {}) | {str(day["model"].iloc[0]): own}


def _risks(rows: pd.DataFrame, source: str) -> Iterator[Row]:
    def ranked(day: pd.DataFrame, score: str) -> dict[str, Metric]:
        return {"auc": auc(day[score].to_numpy(float), day["happened"].to_numpy(bool))}

    def probable(day: pd.DataFrame, score: str, column: str) -> dict[str, Metric]:
        probability, happened = day[column].to_numpy(float), day["happened"].to_numpy(bool)
        return ranked(day, score) | {
            "calibration_error": calibration_error(probability, happened),
            "brier": mean_of(np.asarray(np.square(probability - happened.astype(float)))),
        }

    def alone(day: pd.DataFrame) -> Models:
        return {"BG/NBD alone": ranked(day, "bgnbd_score")} if "bgnbd_score" in day else {}

    def left(day: pd.DataFrame) -> Models:
        def recency() -> dict[str, Metric]:
            if "baseline_probability" in day:
                return probable(day, "baseline_score", "baseline_probability")
            return ranked(day, "baseline_score")

        own = probable(day, "score", "probability")
        return alone(day) | _beside(day, churn.BASELINE, "baseline_score", recency, own)

    def slipped(day: pd.DataFrame) -> Models:
        def orders() -> dict[str, Metric]:
            return ranked(day, "baseline_score")

        return alone(day) | _beside(day, slipping.BASELINE, "baseline_score", orders, ranked(day, "score"))

    asked = rows[rows["task"] == "churn_risk"]
    if "model" not in asked:
        asked = asked.assign(model=churn.MODEL)
    for task, belongs in CHURN_POPULATIONS.items():
        yield from _by_fold(asked[belongs(asked)], task, left, churn.BASELINE, source)
    if "expected_next_day" in asked:
        due = asked[churn.is_due(asked["as_of"], asked["expected_next_day"])]
        due = due.assign(fortnight=due["as_of"] + pd.Timedelta(days=churn.NEAR_DAYS))
        yield from _by_fold(due, DUE_TASK, _on_time, churn.GAP_BASELINE, source)
        yield from _by_fold(due[due["next_day"].notna()], DUE_TASK, _days_off, churn.GAP_BASELINE, source)
    ranks = rows[rows["task"] == "slipping"]
    if "model" not in ranks:
        ranks = ranks.assign(model=slipping.MODEL)
    yield from _by_fold(ranks, SLIPPING_TASK, slipped, slipping.BASELINE, source)


_DAYS_EXPECTED = {
    churn.GAP: "expected_next_day", churn.GAP_BASELINE: "baseline_next_day", churn.FORTNIGHT: "fortnight",
}  # fmt: skip


def _off(day: pd.DataFrame, column: str) -> pd.Series:
    return (day["next_day"] - day[column]).dt.days.abs()


def _on_time(day: pd.DataFrame) -> Models:
    """How many of all who were due bought about when they were expected: who did not buy was not on time."""
    return {
        model: {"within_14_days": mean_of(np.asarray(_off(day, column) <= churn.NEAR_DAYS, dtype=float))}
        for model, column in _DAYS_EXPECTED.items()
    }


def _days_off(day: pd.DataFrame) -> Models:
    """How far off the day was for those who bought."""
    return {
        model: {"mae_next_day": mean_of(np.asarray(_off(day, column), dtype=float))}
        for model, column in _DAYS_EXPECTED.items()
    }


def _by_fold(
    rows: pd.DataFrame, task: str, models: Callable[[pd.DataFrame], Models], baseline: str, source: str
) -> Iterator[Row]:
    """The figures of each model on each day and on all of them; `models` are those of a day."""
    if rows.empty:
        return
    draws = _Draws.of(rows["customer_id"])
    found: dict[tuple[str, str], dict[str, Array]] = {}
    sizes: dict[str, int] = {}
    for day, asked in rows.sort_values(["as_of", "customer_id"]).groupby("as_of"):
        fold = f"{day:%Y-%m-%d}"
        sizes[fold] = len(asked)
        weights = draws.weights_of(asked["customer_id"])
        for model, metrics in models(asked).items():
            for name, metric in metrics.items():
                found.setdefault((model, name), {})[fold] = metric(weights)
    for (model, name), folds in found.items():
        # To cover more is not better than to cover less.
        beside = {} if name.startswith("coverage") else found.get((baseline, name), {})
        for fold, drawn in folds.items():
            yield _row(task, model, fold, name, drawn, sizes[fold], baseline, beside.get(fold), source)
        # A day on which everybody did the same says nothing of who would; it does not silence the others.
        judged = [
            fold for fold in folds if np.isfinite(folds[fold][0]) and np.isfinite(beside.get(fold, folds[fold])[0])
        ] or list(folds)
        pooled = np.mean([folds[fold] for fold in judged], axis=0)
        rival = np.mean([beside[fold] for fold in judged], axis=0) if beside.keys() >= {*judged} else None
        n = sum(sizes[fold] for fold in judged)
        yield _row(task, model, POOLED, name, pooled, n, baseline, rival, source)


_SHARES = {"wape": ("off", "actual"), "bias": ("error", "actual")} | {
    f"coverage_{level}": (f"within_{level}", f"known_{level}") for level in (*forecast.LEVELS, "80_sum")
}
"""What each figure of forecasts is the sum of, and of what sum it is a share."""


def _forecasts(rows: pd.DataFrame, source: str) -> Iterator[Row]:
    for task in forecast.TASKS:
        own = rows[(rows["kind"] == task.kind) & (rows["grain"] == task.grain) & (rows["horizon"] == task.horizon)]
        if own.empty:
            continue
        own = _with_errors(own, task.baseline)
        chosen = own[own["is_chosen"]]
        for name, tried in own[own["method"] != CHOSEN].groupby("method"):
            metrics = tuple(_SHARES) if name == task.baseline else ("wape", "bias")
            yield from _shares(task, str(name), POOLED, tried, metrics, source)
        yield from _shares(task, CHOSEN, POOLED, chosen, tuple(_SHARES), source)
        if own["is_learnt"].any():
            yield from _shares(task, LEARNT, POOLED, own[own["is_learnt"]], ("wape",), source)
        for model, asked in ((CHOSEN, chosen), (task.baseline, own[own["method"] == task.baseline])):
            for origin, tried in asked.groupby("origin"):
                yield from _shares(task, model, f"{origin:%Y-%m-%d}", tried, ("wape",), source, by="series")
        if task.kind != "total":
            for series, tried in chosen.groupby("series"):
                yield from _shares(task, CHOSEN, f"{POOLED}: {series}", tried, ("wape",), source)


_FORECAST = ["origin", "period_start", "series"]
"""What a method forecasts once. In this order floats are added up, whatever order rows come in."""


def _with_errors(rows: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The rows in order, with what _SHARES adds up and, as far as it is known, how far off the baseline was."""
    rows = rows.sort_values([*_FORECAST, "method"], ignore_index=True)
    error = rows["forecast"] - rows["actual"]
    told: dict[str, object] = {"error": error, "off": error.abs()}
    for level in forecast.LEVELS:
        low, high = (rows[f"{end}_{level}"].to_numpy(float) for end in ("low", "high"))
        told |= {f"known_{level}": ~np.isnan(low), f"within_{level}": _within(rows["actual"], low, high)}
    # Each period has a part of its sum, so that origins overlap as they do and a sum counts once.
    at_once = rows.groupby(["origin", "series", "method"])["actual"]
    low, high = (rows[end].to_numpy(float) for end in forecast.OF_SUMS)
    part = 1 / at_once.transform("size").to_numpy(float)
    told |= {
        "known_80_sum": ~np.isnan(low) * part,
        "within_80_sum": _within(at_once.transform("sum"), low, high) * part,
    }
    rows = pd.concat([rows, pd.DataFrame(told)], axis=1)
    beside = rows.loc[rows["method"] == baseline, [*_FORECAST, "off"]].rename(columns={"off": "baseline_off"})
    return rows.merge(beside, on=_FORECAST, how="left", validate="many_to_one")


def _shares(
    task: forecast.Task,
    model: str,
    fold: str,
    rows: pd.DataFrame,
    metrics: tuple[str, ...],
    source: str,
    *,
    by: str = "origin",
) -> Iterator[Row]:
    """The figures of a method; drawn are origins or series, for its baseline the same.

    Where it is known of a part of the forecasts only what the baseline said, both are judged on that part.
    """
    for metric in metrics:
        above, below = _SHARES[metric]
        told, rival = rows, None
        if metric.startswith("coverage"):
            # Where there was no interval, none could hold: enough of the others are needed to draw from.
            told = rows[rows[below] > 0]
        elif metric == "wape" and (is_compared := rows["baseline_off"].notna()).any():
            told = rows[is_compared]
            rival = _drawn_share(told, "baseline_off", below, by)
        if told.empty:
            continue
        drawn = _drawn_share(told, above, below, by)
        n = round(told[below].sum()) if metric.startswith("coverage") else len(told)
        yield _row(task.name, model, fold, metric, drawn, n, task.baseline, rival, source)


def _drawn_share(rows: pd.DataFrame, above: str, below: str, by: str) -> Array:
    """The share in all origins or series, and in as many drawn from them again and again if there are enough."""
    units = rows.groupby(by)
    parts, whole = (units[column].sum().to_numpy(float) for column in (above, below))
    draws = _drawn(len(units), _overlap(units["period_start"]) if by == "origin" else 1)
    return _ratio(parts[draws].sum(axis=1), whole[draws].sum(axis=1))


def _overlap(periods: "pd.api.typing.SeriesGroupBy[Any, Any]") -> int:
    """How many origins in a row, at most, begin before the window of the first of them ends."""
    first, last = periods.min().to_numpy(), periods.max().to_numpy()
    return int((np.searchsorted(first, last, side="right") - np.arange(len(first))).max())


def _drawn(units: int, length: int) -> npt.NDArray[np.int64]:
    """All units; and as many, drawn as blocks of neighbours of that length, if enough blocks fit in side by side."""
    once = np.arange(units)[None]
    if units < _LEAST_DRAWN * length:
        return once
    starts = np.random.default_rng(_SEED).integers(0, units - length + 1, (_ORIGIN_DRAWS, -(-units // length)))
    blocks = starts[:, :, None] + np.arange(length)
    return np.vstack([once, blocks.reshape(_ORIGIN_DRAWS, -1)[:, :units]])


def _live(rows: pd.DataFrame) -> Iterator[Row]:
    """The figures of predictions as they were made, by the moment that they were made from."""
    told = rows.rename(columns={"subject": "customer_id"})
    yield from _values(_valued(told[told["task"] == "customer_value"]), "live")
    asked = told[told["task"].isin(["churn_risk", "slipping"])]
    is_rank = asked["task"] == "slipping"
    # Whoever is first is most at risk, as is whoever had the fewest orders. Who was asked had bought in that year.
    asked = asked.assign(
        score=asked["point"].where(~is_rank, -asked["point"]),
        probability=asked["point"].where(~is_rank),
        baseline_score=asked["baseline"].where(~is_rank, -asked["baseline"]),
        recency_days=asked["baseline"].fillna(churn.ACTIVE_DAYS),
        happened=asked["actual"] == 1,
    )
    yield from _risks(asked, "live")
    yield from _forecasts(_forecast_by(rows[rows["task"] == "forecasts"]), "live")


def _valued(rows: pd.DataFrame) -> pd.DataFrame:
    """Judged predictions of value, a row each of customer, moment and horizon."""
    key = ["as_of", "model", "customer_id", "horizon_days"]
    rows = rows.assign(horizon_days=(rows["window_until"] - rows["window_from"]).dt.days)
    parts = []
    for figure in ("purchases", "sales"):
        names = {
            "low": f"{figure}_low", "point": figure, "high": f"{figure}_high", "baseline": f"baseline_{figure}",
            "actual": f"actual_{figure}",
        }  # fmt: skip
        parts.append(rows[rows["figure"] == figure].set_index(key)[list(names)].rename(columns=names))
    return parts[0].join(parts[1], how="inner").reset_index()


def _forecast_by(rows: pd.DataFrame) -> pd.DataFrame:
    """Judged forecasts as back-tests have them: what was forecast is what was chosen, beside the baseline."""
    subject = rows["subject"].str.partition(": ") if len(rows) else pd.DataFrame(columns=[0, 1, 2])
    parts = []
    for task in forecast.TASKS:
        is_own = (subject[0] == task.kind) & (rows["figure"] == f"amount by {task.grain}, {task.horizon} ahead")
        own = rows[is_own].assign(
            kind=task.kind, grain=task.grain, horizon=task.horizon, series=subject.loc[is_own, 2],
            origin=rows["as_of"], period_start=rows["window_from"], method=CHOSEN, is_chosen=True, is_learnt=False,
            forecast=rows["point"], low_80=rows["low"], high_80=rows["high"],
        )  # fmt: skip
        said = own[own["baseline"].notna()]
        said = said.assign(method=task.baseline, is_chosen=False, forecast=said["baseline"])
        said.loc[said["model"] != task.baseline, forecast.INTERVALS] = np.nan  # the interval is that of what was served
        parts += [own, said]
    # The log keeps predictions a period each: it knows of no sum.
    return pd.concat(parts, ignore_index=True).assign(**dict.fromkeys(forecast.OF_SUMS, np.nan))


def _row(
    task: str,
    model: str,
    fold: str,
    metric: str,
    drawn: Array,
    n: int,
    baseline: str | None,
    rival: Array | None,
    source: str,
) -> Row:
    found = float(drawn[0])
    row = _without(task, "The figure is not defined: nothing of the kind came.") | {
        "model": model, "fold": fold, "metric": metric, "n": n, "baseline": baseline, "source": source,
    }  # fmt: skip
    if not np.isfinite(found):
        return row
    low, high = _ends(drawn)
    row |= {"value": found, "unavailable_because": None, "ci_low": low, "ci_high": high}
    if baseline and rival is not None and np.isfinite(rival[0]) and model != baseline:
        is_better = found < rival[0] if metric in SMALLER_IS_BETTER else found > rival[0]
        row |= {"baseline_value": float(rival[0]), "is_better": bool(is_better)}
        paired = drawn - rival if len(drawn) == len(rival) else np.array([found - rival[0]])
        low, high = _ends(paired)
        row |= {"difference": float(paired[0]), "difference_low": low, "difference_high": high}
    return row


def _ends(drawn: Array) -> tuple[float, float]:
    """The interval of a figure from its draws, which holds the figure; NaN where nothing could be drawn."""
    sample = drawn[1:][np.isfinite(drawn[1:])]
    if len(sample) == 0 or len(sample) < len(drawn) // 2:
        return np.nan, np.nan
    low, high = np.quantile(sample, _ENDS)
    return min(float(low), float(drawn[0])), max(float(high), float(drawn[0]))


def is_difference_shown(low: float, high: float) -> bool:
    """Whether a model and its baseline differ by more than chance alone would make them: the interval leaves 0 out."""
    return low > 0 or high < 0


def _without(task: str, reason: str) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    return row | {
        "task": task, "model": "none", "fold": POOLED, "metric": deciding(task), "source": "back-test",
        "value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": 0, "baseline_value": np.nan,
        "difference": np.nan, "difference_low": np.nan, "difference_high": np.nan, "is_used": False,
        "unavailable_because": reason,
    }  # fmt: skip


def table_of(task: str) -> str:
    """The table of predictions that a task judges."""
    return task.partition(",")[0]


def deciding(task: str) -> str:
    """The metric that decides whether a model or its baseline makes the predictions of a task."""
    return "within_14_days" if task == DUE_TASK else _DECIDING[table_of(task)]


def _settled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the models that are used: those that beat their baseline on all folds together, else the baseline.

    What `churn_risk` is made by is decided on all active customers. Past days decide; what was used is marked in live
    rows as well.
    """
    is_pooled = (rows["fold"] == POOLED) & (rows["source"] == "back-test")
    pooled = rows[is_pooled & (rows["metric"] == rows["task"].map(deciding))]
    makers = {value.MODEL, churn.MODEL, churn.GAP, slipping.MODEL, CHOSEN}
    better = {row.task for row in pooled.itertuples() if row.model in makers and row.is_better is True}
    (active, *_) = CHURN_POPULATIONS
    won = rows["task"].where(~rows["task"].isin(CHURN_POPULATIONS), active).isin(better)
    is_maker, is_baseline = rows["model"].isin(makers), rows["model"] == rows["baseline"]
    return rows.assign(is_used=(won & is_maker) | (~won & is_baseline))
