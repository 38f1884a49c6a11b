"""What customers did in a window of time, and what is known of them from before it: the figures of every experiment."""

from decimal import Decimal
from math import nan

import numpy as np
import pandas as pd
from psycopg import sql

from lgs_assets.action.experiments.declaration import LATE_DAYS, Metric
from lgs_assets.models.adjusted import ratio
from lgs_assets.warehouse.schema import Cursor

CAP = 0.99
"""The quantile above which a customer counts no more, where figures are capped."""
CAPPED_COVARIATES = ["rate, capped", "last_year, capped"]
COVARIATES = ["rate", "last_year", *CAPPED_COVARIATES]
"""Net revenue a day since the first sale, and of the last twelve months, in pounds, before a customer was drawn. As
they are they explain the large customers, capped the others."""
EXACT = "net_revenue, exact"
"""Net revenue to the penny, for sums of it that are shown."""
_FOLDS = 5

_OUTCOMES = """
with population as ({population})

select
    customer_id,
    coalesce(bool_or(last_sale_at >= begins and last_sale_at < ends), false),
    count(distinct invoice_no) filter (where last_sale_at >= begins and last_sale_at < ends),
    coalesce(sum(amount) filter (where last_invoice_at >= begins and last_invoice_at < ends), 0),
    coalesce(
        sum(amount) filter (where last_invoice_at < known_until)
        / greatest(30, extract(day from known_until - min(last_sale_at))),
        0
    ),
    coalesce(
        sum(amount) filter (
            where last_invoice_at < known_until and last_invoice_at >= known_until - interval '1 year'
        ),
        0
    )
from population
left join invoice_totals using (customer_id)
group by customer_id, known_until, begins, ends
order by customer_id
"""
_RETURNED_LATE = """
with population as ({population})

select customer_id, sum(amount_matched)
from population
inner join returns using (customer_id)
where sold_at >= begins and sold_at < ends
    and returned_at >= ends and returned_at < ends + make_interval(days => {days})
group by customer_id
"""


def outcomes(cursor: Cursor, population: sql.Composable, *, with_late_returns: bool) -> pd.DataFrame:
    """The outcomes and covariates of customers, a row each, by number: `customer_id`, the metrics, EXACT, COVARIATES.

    `population` is a query for customer_id, known_until, begins and ends (timestamps; ends excluded): covariates are of
    what lay before known_until. Metrics are counts, and pounds after returns. With late returns, net revenue lacks what
    was sent back within LATE_DAYS after the window, too.
    """
    cursor.execute(sql.SQL(_OUTCOMES).format(population=population))
    names = ["customer_id", "bought_within", "orders", EXACT, "rate", "last_year"]
    frame = pd.DataFrame(cursor.fetchall(), columns=names)
    if with_late_returns:
        cursor.execute(sql.SQL(_RETURNED_LATE).format(population=population, days=sql.Literal(LATE_DAYS)))
        late: dict[int, Decimal] = dict(cursor.fetchall())
        frame[EXACT] -= pd.Series([late.get(customer, Decimal(0)) for customer in frame["customer_id"]], dtype=object)
    frame["net_revenue"] = frame[EXACT]
    numbers = ["bought_within", "orders", "net_revenue", "rate", "last_year"]
    frame = frame.astype(dict.fromkeys(numbers, float))
    for name in ("rate", "last_year"):
        frame[f"{name}, capped"] = np.minimum(frame[name], frame[name].quantile(CAP))
    return frame


def values_of(metric: Metric, frame: pd.DataFrame) -> np.ndarray:
    """A metric as one value a customer. A ratio is linearised; where nobody ordered, it is 0 for all."""
    if metric != "revenue_per_order":
        return frame[metric].to_numpy(float)
    orders = frame["orders"].to_numpy(float)
    return ratio(frame["net_revenue"].to_numpy(float), orders) if orders.any() else np.zeros(len(frame))


def mean_of(metric: Metric, frame: pd.DataFrame) -> float:
    """A metric of some customers together. A ratio is that of their sums, and NaN if none of them ordered."""
    if metric != "revenue_per_order":
        return float(frame[metric].mean())
    orders = float(frame["orders"].sum())
    return float(frame["net_revenue"].sum()) / orders if orders else nan


def adjusted(metric: Metric, frame: pd.DataFrame, *, cap: float | None = None) -> tuple[float, float]:
    """Mean and standard deviation of a metric, and of the latter what past spend leaves unexplained.

    How much it explains is judged on customers that the regression has not seen. No value counts beyond the cap.
    """
    values = values_of(metric, frame)
    if cap is not None:
        values = np.clip(values, -cap, cap)
    past = np.column_stack([np.ones(len(frame)), frame[CAPPED_COVARIATES].to_numpy()])
    fold = np.arange(len(values)) % _FOLDS
    left = np.empty(len(values))
    for held_out in range(_FOLDS):
        seen = fold != held_out
        slopes, *_ = np.linalg.lstsq(past[seen], values[seen], rcond=None)
        left[~seen] = values[~seen] - past[~seen] @ slopes
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    return float(values.mean()), float(min(deviation, np.sqrt((left**2).mean())))
