"""What will be sold: plain methods on months and weeks, and the one with the least error on past origins.

Every method is a function of what was known before an origin; none forecasts below 0. Smoothing is Brown's, its weight
chosen by its one-step errors; theta adds half of the linear trend to it (Assimakopoulos & Nikolopoulos 2000, in the
form of Hyndman & Billah 2003). An interval spans the errors that the method used has made on finished origins of its
kind and horizon, each as a share of what was forecast, in units of the mean error of its own series, in which the usual
error of all series counts as one more: at the same step where there are enough of these. The rule is the same for
back-tests and for what lies ahead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from lgs_assets.models.threads import one_thread

Array = npt.NDArray[np.float64]

YEAR_OF_WEEKS = 52
YEAR_OF_MONTHS = 12
BEST_SELLERS = 50
LEVELS = {80: 0.1, 95: 0.025}
"""The share of errors beyond each end of an interval."""

INTERVALS = ["low_80", "high_80", "low_95", "high_95"]
OF_SUMS = ["sum_low_80", "sum_high_80"]
"""The ends of the interval around the sum of all periods forecast at once: of products, which are ordered so."""
BACKTESTS = [
    *("kind", "series", "grain", "horizon", "origin", "period_start", "method", "is_chosen", "is_learnt", "forecast"),
    *("actual", *INTERVALS, "chosen_by", *OF_SUMS),
]
FORECASTS = [
    *("kind", "series", "grain", "horizon", "period_start", "step", "as_of", "method", "forecast"),
    *(*INTERVALS, "year_before", "baseline", *OF_SUMS),
]

_GROWTH_WITHIN = (0.5, 2.0)
_WEIGHTS = np.arange(0.1, 1.0, 0.1)
_PEAK = 2
"""How many times its median a week may count."""
_LEAST_ORIGINS = 4
"""A choice from fewer origins would be luck."""
_LEAST_ERRORS = 8
"""With fewer past errors there is no interval at all."""
_ENOUGH_ERRORS = 200
"""With as many at a step, five beyond each end of the wider interval, the interval spans the errors of that step."""
_ROUNDING = 1e-9
"""0.025 × 40 is one error, whatever floats make of it."""


@dataclass(frozen=True)
class Task:
    """What is forecast at once."""

    kind: str
    grain: str
    horizon: int
    at_first: str
    """The method until enough origins are over to choose from. It was picked with the reported origins in view; what
    the figures would be without is evaluated beside them.
    """
    baseline: str
    """The method that any other has to beat."""

    @property
    def name(self) -> str:
        """What evaluations call it."""
        return f"forecasts, {self.kind} by {self.grain}, {self.horizon} ahead"


_SAME, _SAME_SMOOTHED = "same week last year", "three weeks around the same last year"
_SAME_MONTH, _SAME_WEEKDAYS = "same month last year", "same weekdays last year"
_HELD = "mean of 13 weeks, peaks held"

TASKS = (
    Task("total", "month", 3, _SAME_WEEKDAYS, _SAME_MONTH),
    Task("country", "month", 3, _SAME_WEEKDAYS, _SAME_MONTH),
    Task("total", "week", 13, _SAME_SMOOTHED, _SAME),
    Task("country", "week", 13, _SAME_SMOOTHED, _SAME),
    Task("product", "week", 4, _HELD, "mean of 4 weeks"),
    Task("product", "week", 13, _HELD, "mean of 13 weeks"),
)


@dataclass(frozen=True)
class Panel:
    """The series of a kind by period, each from the first whole period on."""

    series: list[str]
    starts: pd.DatetimeIndex
    """The first day of each period, and at the end that of the next after the last whole one."""
    values: Array
    """Of shape (series, periods)."""
    trading_days: npt.NDArray[np.int64]
    """Days of each period with any of the series."""
    by_day: Array
    """The values by day, of shape (series, days)."""
    first_day: pd.Timestamp
    is_observed: npt.NDArray[np.bool_]
    """Whether no day of the period was missing; what stands in its place says nothing of what came."""

    @property
    def year(self) -> int:
        """How many periods a year has."""
        return YEAR_OF_MONTHS if self.is_monthly else YEAR_OF_WEEKS

    @property
    def is_monthly(self) -> bool:
        """Whether the periods are months."""
        return len(self.starts) > 1 and self.starts[0].day == 1 and (self.starts[1] - self.starts[0]).days > 7

    def begin(self, period: int) -> pd.Timestamp:
        """The first day of a period, which may lie ahead."""
        if period < len(self.starts):
            return pd.Timestamp(self.starts[period])
        step = pd.DateOffset(months=1) if self.is_monthly else pd.Timedelta(days=7)
        return pd.Timestamp(self.starts[-1] + (period - len(self.starts) + 1) * step)

    def best_sellers(self, origin: int) -> "Panel":
        """The same of the series that sold most in the year before a period."""
        sold = self.values[:, origin - self.year : origin].sum(1)
        places = np.sort(np.argsort(-sold, kind="stable")[:BEST_SELLERS])
        series = [self.series[place] for place in places]
        return replace(self, series=series, values=self.values[places], by_day=self.by_day[places])


Method = Callable[[Panel, int, int], Array]
"""From the series before an origin, and how many periods are wanted, to the forecast of shape (series, horizon)."""


def _level(values: Array, horizon: int) -> Array:
    return np.repeat(values[:, None], horizon, axis=1)


def _mean(periods: int) -> Method:
    return lambda panel, origin, horizon: _level(panel.values[:, max(origin - periods, 0) : origin].mean(1), horizon)


def _mean_with_peaks_held(panel: Panel, origin: int, horizon: int) -> Array:
    weeks = panel.values[:, max(origin - 13, 0) : origin]
    return _level(np.minimum(weeks, _PEAK * np.median(weeks, axis=1, keepdims=True)).mean(1), horizon)


def _year_before(panel: Panel, origin: int, horizon: int) -> Array:
    return panel.values[:, origin - panel.year : origin - panel.year + horizon]


def _year_before_smoothed(panel: Panel, origin: int, horizon: int) -> Array:
    """What a trading day brought in the three weeks around, times the trading days: a closed week stays one."""
    columns = []
    for middle in range(origin - panel.year, origin - panel.year + horizon):
        around = slice(max(middle - 1, 0), min(middle + 2, origin))
        a_day = panel.values[:, around].sum(1) / max(panel.trading_days[around].sum(), 1)
        columns.append(a_day * panel.trading_days[middle])
    return np.stack(columns, axis=1)


def _same_weekdays(panel: Panel, origin: int, horizon: int) -> Array:
    """The days 364 before those of each month; before the data began, the same month."""
    columns = []
    for period in range(origin, origin + horizon):
        first, after = (
            (panel.begin(edge) - pd.Timedelta(days=7 * YEAR_OF_WEEKS) - panel.first_day).days
            for edge in (period, period + 1)
        )
        is_known = first >= 0 and panel.first_day + pd.Timedelta(days=after) <= panel.begin(origin)
        same_month = panel.values[:, period - panel.year]
        columns.append(panel.by_day[:, first:after].sum(1) if is_known else same_month)
    return np.stack(columns, axis=1)


def _growth(panel: Panel, origin: int) -> Array:
    """The last weeks or months against the same a year before: those of the group together, within bounds."""
    periods = min(3 if panel.is_monthly else 8, origin - panel.year)
    if periods <= 0:
        return np.ones(1)
    recent = panel.values[:, origin - periods : origin].sum()
    before = panel.values[:, origin - panel.year - periods : origin - panel.year].sum()
    return np.asarray(np.clip([recent / before if before > 0 else 1.0], *_GROWTH_WITHIN))


def _grown(method: Method, power: float) -> Method:
    return lambda panel, origin, horizon: method(panel, origin, horizon) * _growth(panel, origin)[:, None] ** power


def _smoothed(values: Array) -> tuple[Array, Array]:
    """The level of each series after exponential smoothing by the weight with the least squared error, and that."""
    levels, errors = [], []
    for weight in _WEIGHTS:
        level, error = values[:, 0].copy(), np.zeros(len(values))
        for value in values[:, 1:].T:
            error += (value - level) ** 2
            level = level + weight * (value - level)
        levels.append(level)
        errors.append(error)
    best = np.argmin(np.stack(errors), axis=0)
    return np.stack(levels)[best, np.arange(len(values))], _WEIGHTS[best]


def _smoothing(panel: Panel, origin: int, horizon: int) -> Array:
    return _level(_smoothed(panel.values[:, :origin])[0], horizon)


def _theta(panel: Panel, origin: int, horizon: int) -> Array:
    values = panel.values[:, :origin]
    level, weight = _smoothed(values)
    times = np.arange(origin) - (origin - 1) / 2
    drift = (values @ times / (times @ times) / 2)[:, None] if origin > 1 else np.zeros((len(values), 1))
    lag = (1 - (1 - weight) ** origin) / weight
    return np.asarray(level[:, None] + drift * (np.arange(horizon) + lag[:, None]))


_WEEKS: Mapping[str, Method] = {
    "last week": _mean(1),
    "mean of 4 weeks": _mean(4),
    "mean of 13 weeks": _mean(13),
    _HELD: _mean_with_peaks_held,
    _SAME: _year_before,
    "same week last year, with growth": _grown(_year_before, 1),
    _SAME_SMOOTHED: _year_before_smoothed,
    "exponential smoothing": _smoothing,
    "theta": _theta,
}
_MONTHS: Mapping[str, Method] = {
    "last month": _mean(1),
    "mean of 12 months": _mean(12),
    _SAME_MONTH: _year_before,
    "same month last year, with growth": _grown(_year_before, 1),
    _SAME_WEEKDAYS: _same_weekdays,
    "same weekdays last year, with half the growth": _grown(_same_weekdays, 0.5),
    "exponential smoothing": _smoothing,
    "theta": _theta,
}


def methods(grain: str) -> Mapping[str, Method]:
    """The candidates by name."""
    return _MONTHS if grain == "month" else _WEEKS


Span = tuple[pd.Timestamp, pd.Timestamp]
"""The first day of the first whole month or week, and the day after the last one."""


def panel_of(daily: pd.DataFrame, kind: str, grain: str, whole: Span) -> Panel | None:
    """The series of a kind by whole months or weeks; None if there is no whole one.

    `daily` has the columns of `daily_series`; it begins with the total.
    """
    if daily.empty:
        return None
    first = daily["day"].min()
    own = daily[daily["kind"] == kind]
    series = sorted(own["series"].unique())
    days = pd.date_range(first, whole[1] - pd.Timedelta(days=1))
    starts = pd.date_range(*whole, freq="MS" if grain == "month" else "W-MON")
    if len(starts) < 2 or not series:
        return None
    table = own.pivot_table(index="series", columns="day", values="amount", aggfunc="sum")
    by_day = table.reindex(index=series, columns=days).fillna(0).to_numpy(float)
    missing = _missing(daily["day"], days)
    for day in np.flatnonzero(missing):
        before = by_day[:, max(day - 7 * YEAR_OF_WEEKS, day % 7) : day : 7]
        by_day[:, day] = before.mean(1) if before.size else 0
    edges = list(pairwise(np.clip((starts - first).days, 0, len(days))))
    is_open = (by_day != 0).any(axis=0)
    return Panel(
        series=series,
        starts=starts,
        values=np.stack([by_day[:, a:b].sum(1) for a, b in edges], axis=1),
        trading_days=np.array([is_open[a:b].sum() for a, b in edges]),
        by_day=by_day,
        first_day=first,
        is_observed=np.array([not missing[a:b].any() for a, b in edges]),
    )


def _missing(known: pd.Series, days: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
    """Which days were not observed: those of months without any line, unless the shop closes in that month.

    It does if the same month of an earlier year has no line either. The mean of the same weekday in the year before
    stands for such a day, so that nothing takes a gap in the data for a month without sales. A month that is not over
    may yet have lines: its first days may be a weekend.
    """
    months = days.to_period("M")
    empty = months.unique().difference(pd.DatetimeIndex(known).to_period("M").unique())
    empty = empty[empty.end_time < days[-1] + pd.Timedelta(days=1)]
    closed = empty[empty.month.duplicated()]
    found: npt.NDArray[np.bool_] = np.asarray(months.isin(empty.difference(closed)))
    return found


def _origins(panel: Panel, task: Task) -> list[int]:
    """The past origins: weeks of the last year without overlap, of months the last ten; nothing missing is judged."""
    last = panel.values.shape[1] - task.horizon
    by, most = (1, 10) if panel.is_monthly else (task.horizon, panel.year // task.horizon)
    origins = list(range(last, panel.year - 1, -by))[:most][::-1]
    return [origin for origin in origins if panel.is_observed[origin : origin + task.horizon].all()]


def _asked(panel: Panel, task: Task, origin: int) -> Panel:
    """What is forecast from an origin: of products, those that had sold most before it."""
    return panel.best_sellers(origin) if task.kind == "product" else panel


@one_thread
def backtests(daily: pd.DataFrame, whole: Mapping[str, Span]) -> pd.DataFrame:
    """What every method would have forecast at past origins, which would have been used, and what came.

    `whole` is what `whole_periods` gives, or nothing if there are no lines. One row with the columns BACKTESTS a task,
    series, origin, period and method.
    """
    parts = []
    for task in TASKS if whole else ():
        panel = panel_of(daily, task.kind, task.grain, whole[task.grain])
        if panel is not None:
            rows = _tried(panel, task)
            if not rows.empty:
                parts.append(_with_choices(rows, task))
    return pd.concat(parts, ignore_index=True)[BACKTESTS] if parts else pd.DataFrame(columns=BACKTESTS)


def _tried(panel: Panel, task: Task) -> pd.DataFrame:
    candidates, rows = methods(task.grain), []
    for origin in _origins(panel, task):
        asked, periods = _asked(panel, task, origin), range(origin, origin + task.horizon)
        forecasts = [np.maximum(method(asked, origin, task.horizon), 0).ravel() for method in candidates.values()]
        told = pd.DataFrame({
            "series": np.repeat(asked.series, task.horizon),
            "origin": asked.begin(origin),
            "period_start": [asked.begin(period) for period in periods] * len(asked.series),
            "period_end": [asked.begin(period + 1) for period in periods] * len(asked.series),
            "actual": asked.values[:, periods].ravel(),
        })  # fmt: skip
        again = np.tile(np.arange(len(told)), len(candidates))
        rows.append(
            told.iloc[again].assign(method=np.repeat(list(candidates), len(told)), forecast=np.concatenate(forecasts))
        )
    tried = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=BACKTESTS)
    return tried.assign(kind=task.kind, grain=task.grain, horizon=task.horizon)


def best_method(rows: pd.DataFrame, task: Task, at_first: str) -> str:
    """The method with the least absolute error in these back-tests; with few origins, the one given."""
    if rows["origin"].nunique() < _LEAST_ORIGINS:
        return at_first
    errors = (rows["forecast"] - rows["actual"]).abs().groupby(rows["method"]).sum()
    return str(errors.reindex(list(methods(task.grain))).idxmin())


def _with_choices(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Each origin with the method that was best on those that were over by then; its intervals, and the baseline's."""
    parts = []
    ends = rows.groupby("origin")["period_end"].max()
    for origin, asked in rows.groupby("origin"):
        over = rows[rows["origin"].isin(ends.index[ends <= origin])]
        chosen, learnt = (best_method(over, task, at_first) for at_first in (task.at_first, task.baseline))
        is_chosen = asked["method"] == chosen
        told = asked.assign(
            is_chosen=is_chosen, is_learnt=asked["method"] == learnt, chosen_by=over["period_end"].max()
        )
        intervals = [
            _intervals(task, asked[asked["method"] == method], over[over["method"] == method])
            for method in dict.fromkeys((chosen, task.baseline))
        ]
        parts.append(told.join(pd.concat(intervals)))
    return pd.concat(parts, ignore_index=True)


def _intervals(task: Task, asked: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """The ends of the intervals around forecasts and, of products, around their sums, from the errors of past sums."""
    ends = interval(asked, over)
    if task.kind != "product":
        return ends.assign(**dict.fromkeys(OF_SUMS, np.nan))
    sums = _sums(asked)
    of_sums = interval(sums, _sums(over)).set_axis(sums["series"])
    return ends.assign(**{f"sum_{end}": asked["series"].map(of_sums[end]) for end in ("low_80", "high_80")})


def _sums(rows: pd.DataFrame) -> pd.DataFrame:
    """What was forecast at once of a series, and what came, as one period."""
    by = [column for column in ("series", "origin") if column in rows]
    rows = rows.sort_values([*by, "period_start"])  # floats add up alike in one order alone
    amounts = {column: (column, "sum") for column in ("forecast", "actual") if column in rows}
    return rows.groupby(by, as_index=False).agg(period_start=("period_start", "min"), **amounts)


def interval(asked: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """The ends of the intervals around forecasts, from past errors. Holds the forecast.

    Each error is a share of the forecast, counted in units of the mean one of its series, so that no series widens the
    intervals of the others. That mean counts one error more, the usual one of all series: with few errors, or none, a
    series is taken to be like the others. So is one that was forecast on less than a third of the days, as a product
    that has just begun: its first days say too much. NaN at a level that so few errors say nothing of.
    """
    over = over.sort_values(["series", "origin", "period_start"])  # floats add up alike in one order alone
    usual = over.groupby("series")["forecast"].mean()
    shares = (over["actual"] - over["forecast"]) / _scale(over, usual)
    own = shares.abs().groupby(over["series"]).agg(["sum", "size"])
    days = over.groupby("series")["origin"].nunique()
    own = own[3 * days >= over["origin"].nunique()]
    alike = (own["sum"] / own["size"])[own["sum"] > 0].median()
    alike = 1.0 if np.isnan(alike) else alike
    means = (own["sum"] + alike) / (own["size"] + 1)
    in_units = (shares / over["series"].map(means).astype(float).fillna(alike)).to_numpy(float)
    width = asked["series"].map(means).astype(float).fillna(alike) * _scale(asked, usual)
    steps, past_steps = _steps(asked), _steps(over)
    ends = {}
    for level, beyond in LEVELS.items():
        low, high = np.empty(len(asked)), np.empty(len(asked))
        for step in np.unique(steps):
            at_step = in_units[past_steps == step]
            errors = at_step if len(at_step) >= _ENOUGH_ERRORS else in_units
            low[steps == step], high[steps == step] = _middle(errors, beyond)
        ends[f"low_{level}"] = np.minimum(asked["forecast"], np.maximum(asked["forecast"] + low * width, 0))
        ends[f"high_{level}"] = np.maximum(asked["forecast"], asked["forecast"] + high * width)
    ends["low_95"] = np.minimum(ends["low_95"], ends["low_80"])
    ends["high_95"] = np.maximum(ends["high_95"], ends["high_80"])
    return pd.DataFrame(ends)[INTERVALS]


def _middle(errors: Array, beyond: float) -> tuple[float, float]:
    """The ends between which the next error lies, but for a share `beyond` each end, if it is one more of them.

    That takes 9 errors for 80 % and 39 for 95 %. With half as many the ends are as far from 0 as each other, which lets
    every error speak for both; with fewer they are NaN. As in conformal prediction (Vovk, Gammerman & Shafer 2005).
    """
    n = len(errors)
    if n < _LEAST_ERRORS:
        return np.nan, np.nan
    if outside := int(beyond * (n + 1) + _ROUNDING):
        ordered = np.sort(errors)
        return float(ordered[outside - 1]), float(ordered[n - outside])
    if outside := int(2 * beyond * (n + 1) + _ROUNDING):
        end = float(np.sort(np.abs(errors))[n - outside])
        return -end, end
    return np.nan, np.nan


def _steps(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The place of each period among those that were forecast at once."""
    by = [column for column in ("series", "origin") if column in rows]
    return rows.groupby(by)["period_start"].rank(method="dense").to_numpy(np.int64)


def _scale(rows: pd.DataFrame, usual: pd.Series) -> pd.Series:
    """What errors are shares of: the forecast or, if that is more, the usual one of the series: nothing is no share."""
    before = rows["series"].map(usual).astype(float).fillna(rows["forecast"]).clip(lower=1)
    return rows["forecast"].where(rows["forecast"] > before, before)


@one_thread
def predicted(
    daily: pd.DataFrame,
    past: pd.DataFrame,
    whole: Mapping[str, Span],
    *,
    as_of: pd.Timestamp,
    are_choices_used: Mapping[str, bool],
) -> pd.DataFrame:
    """The forecasts after the last whole period, in the columns FORECASTS, by the best method of all past origins.

    `past` are the back-tests. Where choices were no better than the baseline (`are_choices_used` by the task's name is
    false) the baseline forecasts.
    """
    parts = []
    for task in TASKS:
        panel = panel_of(daily, task.kind, task.grain, whole[task.grain])
        if panel is None or panel.values.shape[1] < panel.year:
            continue
        over = past[(past["kind"] == task.kind) & (past["grain"] == task.grain) & (past["horizon"] == task.horizon)]
        method = best_method(over, task, task.at_first) if are_choices_used.get(task.name, False) else task.baseline
        parts.append(_forecast(panel, task, method, over[over["method"] == method]).assign(as_of=as_of))
    return pd.concat(parts, ignore_index=True)[FORECASTS] if parts else pd.DataFrame(columns=FORECASTS)


def _forecast(panel: Panel, task: Task, method: str, over: pd.DataFrame) -> pd.DataFrame:
    origin = panel.values.shape[1]
    panel = _asked(panel, task, origin)
    forecast = np.maximum(methods(task.grain)[method](panel, origin, task.horizon), 0)
    periods = range(origin, origin + task.horizon)
    is_known = panel.is_observed[origin - panel.year : origin - panel.year + task.horizon]
    before = np.where(is_known, _year_before(panel, origin, task.horizon), np.nan)
    rows = pd.DataFrame({
        "kind": task.kind, "series": np.repeat(panel.series, task.horizon), "grain": task.grain,
        "horizon": task.horizon, "period_start": [panel.begin(each) for each in periods] * len(panel.series),
        "step": list(range(1, task.horizon + 1)) * len(panel.series), "method": method,
        "forecast": forecast.ravel(),
        "year_before": before.ravel().round(6),
        "baseline": np.maximum(methods(task.grain)[task.baseline](panel, origin, task.horizon), 0).ravel(),
    })  # fmt: skip
    rows = rows.join(_intervals(task, rows, over))
    for column in ("forecast", *INTERVALS, "baseline", *OF_SUMS):
        rows[column] = rows[column].round(2)
    return rows


def whole_periods(terms: pd.DataFrame, months: pd.DataFrame) -> dict[str, Span]:
    """The whole months and weeks before the moment of `terms`, a row of prediction_terms.

    `months` has the columns `invoice_month` and `is_partial` of monthly_metrics. The month that the data begins in ends
    nothing: if it is partial, what is whole begins after it.
    """
    as_of, since, until = (terms[name].iloc[0] for name in ("as_of", "observed_from", "observed_until"))
    is_first = months["invoice_month"] == months["invoice_month"].min()
    skipped = int(months.loc[is_first, "is_partial"].any())
    ends = [as_of.replace(day=1), months["invoice_month"].max() + pd.DateOffset(months=1)]
    ends += list(months.loc[months["is_partial"] & ~is_first, "invoice_month"])
    return {
        "month": (months["invoice_month"].min() + pd.DateOffset(months=skipped), min(ends)),
        "week": (
            since + pd.Timedelta(days=-since.weekday() % 7),
            until - pd.Timedelta(days=until.weekday()),
        ),
    }
