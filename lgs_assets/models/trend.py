"""Trend and season of monthly series, and how sure they are. Whole months only: a partial one looks like a fall."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lgs_assets.models.multiple_testing import holm

YEAR = 12
LEAST_MONTHS = 2 * YEAR
"""Fewer cannot tell a season from a trend."""

LAGS = 2
"""Months over which errors may be correlated, in Newey-West's standard errors."""

CHANGE = ("change_pct", "change_low_pct", "change_high_pct")
METHODS = ("level", "level, by month", "log", "log, by month", "year on year")
FIGURES = [
    *("slope_per_month", "standard_error", "p_value", "ci_low", "ci_high"),
    *("plain_standard_error", "plain_p_value", "r_squared", "durbin_watson", "residual_df"),
]


def trends(series: pd.DataFrame) -> pd.DataFrame:
    """How each series moves with time, by each of METHODS: one row per series and method.

    `series` has the columns of `monthly_series`. `level` is a straight line through the values, `log` through their
    logarithms, `by month` with a level of its own for each month of the year; `year on year` is the mean logarithm of
    the ratio of each of the last twelve months to the same month before, whose interval in percent is
    `change_low_pct` to `change_high_pct`. `holm_p` corrects the p-values of a method for the number of series that
    have one. A figure that cannot be had is NaN, and `reason` says why.
    """
    rows = [row for name, months in series.groupby("series") for row in _trends_of(str(name), months)]
    frame = pd.DataFrame(rows, columns=["series", "method", "months", *CHANGE, *FIGURES, "reason"])
    frame["holm_p"] = frame.groupby("method")["p_value"].transform(holm).astype(float)
    return frame.astype({"reason": "object"}).replace([np.inf, -np.inf], np.nan)


def whole_months(series: pd.DataFrame) -> pd.DataFrame:
    """The series without the values of partial months, which nothing here looks at."""
    return series.assign(value=series["value"].where(~series["is_partial"]))


def seasonal_parts(series: pd.DataFrame) -> pd.DataFrame:
    """Each whole month as trend + season + remainder (STL): one row per series and month; none for a short series."""
    from statsmodels.tsa.seasonal import STL

    columns = ["series", "invoice_month", "value", "trend", "season", "remainder"]
    parts = []
    for name, months in series.groupby("series"):
        whole = _whole(months)
        if not _obstacle(whole):
            found = STL(whole.to_numpy(), period=YEAR).fit()
            values = (whole.index, whole.to_numpy(), found.trend, found.seasonal, found.resid)
            parts.append(pd.DataFrame({"series": str(name)} | dict(zip(columns[1:], values, strict=True))))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _trends_of(name: str, months: pd.DataFrame) -> Iterator[dict[str, object]]:
    values = _whole(months)
    obstacle = _obstacle(values)
    change = np.nan if obstacle else 100 * (values.iloc[-YEAR:].sum() / values.iloc[-2 * YEAR : -YEAR].sum() - 1)
    for method in METHODS:
        reason = obstacle or ("" if "level" in method or (values > 0).all() else "logarithms need values above zero")
        figures = {} if reason else _year_on_year(values) if method == "year on year" else _line(values, method)
        common = {"series": name, "method": method, "months": len(values), "change_pct": change}
        yield common | figures | {"reason": reason or None}


def _whole(months: pd.DataFrame) -> pd.Series:
    """The values of the whole months, in order of month."""
    whole = months[~months["is_partial"]].sort_values("invoice_month")
    return pd.Series(whole["value"].to_numpy(float), index=pd.DatetimeIndex(whole["invoice_month"]))


def _obstacle(values: pd.Series) -> str:
    """Why a series has no trend and no season; empty if it has them."""
    if len(values) < LEAST_MONTHS:
        return f"needs {LEAST_MONTHS} whole months; there are {len(values)}"
    if len(pd.period_range(values.index[0], values.index[-1], freq="M")) > len(values) or values.isna().any():
        return "months are missing"
    return ""


def _line(values: pd.Series, method: str) -> dict[str, float]:
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.stattools import durbin_watson

    y = np.log(values.to_numpy()) if method.startswith("log") else values.to_numpy()
    columns = [np.ones(len(y)), np.arange(len(y), dtype=float)]
    if method.endswith("by month"):
        columns += [(pd.DatetimeIndex(values.index).month == month).astype(float) for month in range(2, YEAR + 1)]
    with np.errstate(all="ignore"):  # a series that never changes has no error to divide by
        plain = OLS(y, np.column_stack(columns)).fit()
        robust = plain.get_robustcov_results("HAC", maxlags=LAGS, use_correction=True, use_t=True)
        low, high = robust.conf_int()[1]
        figures = (
            *(robust.params[1], robust.bse[1], robust.pvalues[1], low, high),
            *(plain.bse[1], plain.pvalues[1], plain.rsquared, durbin_watson(plain.resid), plain.df_resid),
        )
    return dict(zip(FIGURES, map(float, figures), strict=True))


def _year_on_year(values: pd.Series) -> dict[str, float]:
    from statsmodels.stats.weightstats import DescrStatsW

    ratios = np.log(values.to_numpy()[-YEAR:] / values.to_numpy()[-2 * YEAR : -YEAR])
    with np.errstate(all="ignore"):
        described = DescrStatsW(ratios)
        low, high = described.tconfint_mean()
        figures = {
            "slope_per_month": described.mean / YEAR,
            "standard_error": described.std_mean / YEAR,
            "p_value": described.ttest_mean()[1],
            "ci_low": low / YEAR,
            "ci_high": high / YEAR,
            "plain_p_value": _signed_rank_p(ratios),
            "residual_df": YEAR - 1,
            "change_low_pct": 100 * np.expm1(low),
            "change_high_pct": 100 * np.expm1(high),
        }
    return {name: float(figure) for name, figure in figures.items()}


def _signed_rank_p(differences: np.ndarray) -> float:
    """The exact two-sided p-value of Wilcoxon's signed-rank test (1945), ties and zeros included; NaN of zeros alone.

    Over all 2^n signs, so for about a dozen differences. With ties, scipy calls a Python function for each combination.
    """
    nonzero = pd.Series(differences[differences != 0])
    ranks = nonzero.abs().rank().to_numpy()
    signs = np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks)) & 1
    sums, observed = signs @ ranks, ranks[nonzero > 0].sum()
    return min(1.0, 2 * min((sums <= observed).mean(), (sums >= observed).mean())) if len(ranks) else np.nan
