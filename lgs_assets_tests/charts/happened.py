"""Small tables of what happened, for charts: customers over time, products, countries, drivers."""

from typing import Any

import numpy as np
import pandas as pd

FIRST = pd.Timestamp("2010-11-01")
NEW = "(not yet a customer)"


def what_happened(segments: list[str], months: int, *, is_partial: bool) -> dict[str, Any]:
    """Every table of the history, with this many months from FIRST on; the last one partial or not."""
    at = list(pd.date_range(FIRST, periods=months, freq="MS"))
    partial = [is_partial and place == months - 1 for place in range(months)]
    return {
        "segment_migrations": moves_of(segments, at, partial),
        "segment_survival": survival_of(segments, months),
        "cohort_retention": cohorts_of(at, partial),
        "cohort_retention_pooled": pooled_of(months),
        "customer_flow": flow_of(at, partial),
        "products": products_of(40),
        "product_pairs": pairs_of(30),
        "countries": countries_of(),
        "sales_drivers": drivers_of(at, partial),
        "seasonality": seasons_of([moment for moment, is_cut in zip(at, partial, strict=True) if not is_cut]),
        "trend_statistics": trends_of(),
    }


def moves_of(segments: list[str], at: list[pd.Timestamp], partial: list[bool]) -> pd.DataFrame:
    """In each step 60 stay in each segment, 9 fall to the next by ageing, 4 by the boundary, and 5 are new."""
    ends = [moment + pd.offsets.MonthBegin(1) for moment in at]
    rows = []
    for step in (1, 3):
        for place in range(step, len(ends)):
            for below, segment in enumerate(segments, start=1):
                moved = [(segment, "stayed", 60)]
                if below < len(segments):
                    moved += [(segments[below], "ageing", 9), (segments[below], "boundary", 4)]
                rows += [
                    (step, ends[place - step], ends[place], segment, to, cause, number, partial[place])
                    for to, cause, number in moved
                ]
            rows.append((step, ends[place - step], ends[place], NEW, segments[3], "first purchase", 5, partial[place]))
    columns = ["step", "snapshot_from", "snapshot_to", "segment_from", "segment_to", "cause", "customers", "is_partial"]
    return pd.DataFrame(rows, columns=columns)


def survival_of(segments: list[str], months: int) -> pd.DataFrame:
    """Half stay for a month, a third for two; beyond six months there are 5 entries, of whom nobody stays."""
    entries = [400 - 60 * since if since <= 6 else 5 for since in range(max(months - 2, 1))]
    rows = [
        (segment, since, entered, entered // (since + 1), 100 * (entered // (since + 1)) / entered)
        for segment in segments
        for since, entered in enumerate(entries)
    ]
    return pd.DataFrame(rows, columns=["segment", "months", "entries", "remaining", "survival_pct"])


def cohorts_of(at: list[pd.Timestamp], partial: list[bool]) -> pd.DataFrame:
    """100 ÷ (months since + 2) % of each month's 200 customers come back."""
    rows = [
        (
            at[cohort],
            since,
            200,
            100.0 if since == 0 else 100 / (since + 2),
            80 / (since + 1),
            cohort == 0,
            partial[cohort + since],
        )
        for cohort in range(len(at))
        for since in range(len(at) - cohort)
    ]
    columns = [
        *("cohort_month", "months_since", "customers", "retention_pct", "revenue_retention_once_pct"),
        *("is_left_censored", "is_partial"),
    ]
    return pd.DataFrame(rows, columns=columns)


def pooled_of(months: int) -> pd.DataFrame:
    rows = [
        (with_left_censored, since, months - since, 100 / (since + 2), 80 / (since + 1))
        for with_left_censored in (False, True)
        for since in range(max(months - 1, 1))
    ]
    columns = ["with_left_censored", "months_since", "cohorts", "retention_pct", "revenue_retention_once_pct"]
    return pd.DataFrame(rows, columns=columns)


def flow_of(at: list[pd.Timestamp], partial: list[bool]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "invoice_month": at,
            "new_customers": [300] + [40] * (len(at) - 1),
            "retained_customers": [0] + [120] * (len(at) - 1),
            "reactivated_customers": [0] + [70] * (len(at) - 1),
            "lapsed_customers": [0] + [90] * (len(at) - 1),
            "is_left_censored": [True] + [False] * (len(at) - 1),
            "is_partial": partial,
        }
    )


def products_of(number: int) -> pd.DataFrame:
    """Each product sells less than the one before it; of every fourth much comes back."""
    sales = np.array([90_000 / (place + 1) for place in range(number)])
    products = pd.DataFrame(
        {
            "code": [f"{22000 + place}" for place in range(number)],
            "description": [f"FELT ROBIN No {place}" for place in range(number)],
            "sales": sales,
            "units_sold": (sales / 2).astype(int),
            "return_lines": [8 if place % 4 == 0 else 1 for place in range(number)],
            "units_returned": list(range(number)),
            "returned": sales * [0.2 if place % 4 == 0 else 0.01 for place in range(number)],
            "sales_rank": np.arange(1, number + 1),
        }
    )
    products["return_rate_sales"] = products["returned"] / products["sales"]
    products["cumulative_share"] = products["sales"].cumsum() / products["sales"].sum()
    above = products["cumulative_share"] - products["sales"] / products["sales"].sum()
    return products.assign(abc_class=np.select([above < 0.8, above < 0.95], ["A", "B"], "C"))


def pairs_of(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code": [f"{22000 + place}" for place in range(number)],
            "other_code": [f"{22001 + place}" for place in range(number)],
            "baskets": [500 - place for place in range(number)],
            "all_baskets": 4000,
            "lift": [20 - place / 10 for place in range(number)],
            "kulczynski": [0.9 - place / 100 for place in range(number)],
        }
    )


def countries_of() -> pd.DataFrame:
    countries = pd.DataFrame(
        [
            ("United Kingdom", 900_000.0, 920_000.0, 5000, 0.04),
            ("Netherlands", 60_000.0, 61_000.0, 23, 0.95),
            ("Singapore", 9000.0, 9000.0, 1, 1.0),
            ("Germany", 30_000.0, 31_000.0, 107, 0.09),
            ("Hong Kong", 5000.0, 0.0, 0, np.nan),
        ],
        columns=["country", "net_sales", "sales", "sale_customers", "top_customer_share"],
    )
    return countries.assign(net_sales_share=countries["net_sales"] / countries["net_sales"].sum())


def drivers_of(at: list[pd.Timestamp], partial: list[bool]) -> pd.DataFrame:
    """Each month sells 1,000 more than the one before: customers bring 900, prices take 300, guests bring 400."""
    rows = [
        (
            at[place],
            comparison,
            at[place - back],
            partial[place],
            50_000.0 + 1000 * place,
            50_000.0 + 1000 * (place - back),
        )
        for comparison, back in (("month before", 1), ("year before", 12))
        for place in range(back, len(at))
    ]
    columns = ["invoice_month", "comparison", "compared_month", "is_partial", "net_sales", "net_sales_before"]
    drivers = pd.DataFrame(rows, columns=columns)
    change = drivers["net_sales"] - drivers["net_sales_before"]
    parts = {"customers": 0.9, "orders": 0.0, "items": 0.0, "price": -0.3, "guests": 0.4, "returns": 0.0}
    return drivers.assign(change=change, **{f"{name}_effect": change * part for name, part in parts.items()})


def seasons_of(at: list[pd.Timestamp]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series": "sales, doubled invoices once",
            "invoice_month": at,
            "trend": np.linspace(8e5, 9e5, len(at)),
            "season": [2e5 if moment.month == 11 else -1e4 for moment in at],
        }
    )


def trends_of() -> pd.DataFrame:
    """Of two years: of what is told, customers alone move by more than chance."""
    rows = [
        ("sales", "year on year", 5.8, 0.37, 1.0, None),
        ("sales, doubled invoices once", "year on year", 1.7, 0.85, 1.0, None),
        ("placed orders", "year on year", -7.0, 0.042, 0.21, None),
        ("active customers", "year on year", -12.5, 0.001, 0.005, None),
        ("sales per buying customer", "year on year", -1.4, 0.47, 1.0, None),
        ("new customers", "year on year", -63.6, 0.0004, 0.0022, None),
        ("existing customers", "year on year", 27.0, np.nan, np.nan, "logarithms need values above zero"),
    ]
    return pd.DataFrame(rows, columns=["series", "method", "change_pct", "p_value", "holm_p", "reason"]).assign(
        months=24
    )
