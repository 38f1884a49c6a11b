"""The tables in pandas, as both of its peers build them: DataFrames in, DataFrames out. Money is float."""

import csv
from typing import IO

import pandas as pd

from benchmarks.peers.common import COLUMNS, PLAYBOOK


def read_lines(stream: IO[bytes], dump: str) -> pd.DataFrame:
    """raw_invoices from the lines of the dump."""
    raw = pd.read_csv(
        stream,
        sep="\t",
        names=COLUMNS,
        dtype={"invoice_no": "str", "stock_code": "str"},
        na_values=["\\N"],
        keep_default_na=False,
        quoting=csv.QUOTE_NONE,
        parse_dates=["invoice_date"],
    )
    raw["description"] = raw["description"].str.replace("\\\\", "\\", regex=False)
    raw.insert(0, "dump", dump)
    raw.insert(1, "line_number", range(1, len(raw) + 1))
    return raw


def clean_invoices(raw: pd.DataFrame) -> pd.DataFrame:
    """The lines, typed and classified. There is one dump, so each of them counts."""
    line_total = raw["quantity"] * raw["unit_price"]
    copies = raw.groupby(COLUMNS, dropna=False, sort=False)["line_number"]
    number, place = copies.transform("size"), copies.cumcount() + 1
    is_doubled = (number % 2 == 0).groupby(raw["invoice_no"]).transform("all")
    return raw.assign(
        invoice_month=raw["invoice_date"].dt.to_period("M").dt.to_timestamp(),
        line_total=line_total,
        customer_id=raw["customer_id"].astype("Int64"),
        is_cancellation=raw["invoice_no"].str.startswith("C"),
        is_sale=(raw["quantity"] > 0) & (line_total > 0) & raw["customer_id"].notna() & raw["description"].notna(),
        is_sold=(raw["quantity"] > 0) & (line_total > 0) & ~raw["invoice_no"].str.startswith("C"),
        is_repeat=place > 1,
        is_second_copy=is_doubled & (2 * place > number),
    )


def monthly_metrics(clean: pd.DataFrame) -> pd.DataFrame:
    """Orders and sales of each month."""
    by_month = clean.groupby("invoice_month")
    copies = clean[clean["is_second_copy"]].groupby("invoice_month")
    months = pd.DataFrame(
        {
            "total_orders": by_month["invoice_no"].nunique(),
            "canceled_orders": clean[clean["is_cancellation"]].groupby("invoice_month")["invoice_no"].nunique(),
            "doubled_orders": copies["invoice_no"].nunique(),
            "sales": by_month["line_total"].sum(),
            "sales_once": clean[~clean["is_second_copy"]].groupby("invoice_month")["line_total"].sum(),
            "last_invoice_at": by_month["invoice_date"].max(),
        }
    )
    counted = ["canceled_orders", "doubled_orders"]
    months[counted] = months[counted].fillna(0).astype(int)
    months["placed_orders"] = months["total_orders"] - 2 * months["canceled_orders"]
    months["sales_growth_pct"] = (100 * months["sales"].pct_change()).round(6)
    last_day = pd.DatetimeIndex(months.index) + pd.offsets.MonthEnd(0)
    months["is_partial"] = (months.index == months.index.max()) & (months["last_invoice_at"] < last_day)
    return months.reset_index()


def user_activity(clean: pd.DataFrame) -> pd.DataFrame:
    """Active, new and existing customers of each month."""
    active = clean.dropna(subset=["customer_id"])[["customer_id", "invoice_month"]].drop_duplicates()
    active["is_new"] = active["invoice_month"] == active.groupby("customer_id")["invoice_month"].transform("min")
    by_month = active.groupby("invoice_month")["is_new"]
    months = pd.DataFrame({"active_users": by_month.size(), "new_users": by_month.sum()})
    months["existing_users"] = months["active_users"] - months["new_users"]
    return months.reset_index()


def invoice_amounts(clean: pd.DataFrame) -> pd.DataFrame:
    """The total of each invoice."""
    return clean.groupby("invoice_no")["line_total"].sum().rename("amount").reset_index()


def invoice_amount_statistics(amounts: pd.DataFrame) -> pd.DataFrame:
    """The distribution of the amounts: all and the positive ones, whole and cut at their 85th percentile."""
    every = amounts["amount"]
    rows = []
    for population, whole in {"all": every, "positive": every[every > 0]}.items():
        for is_cut, values in {False: whole, True: whole[whole <= whole.quantile(0.85)]}.items():
            rows.append(
                {
                    "population": population,
                    "is_cut": is_cut,
                    "invoices": len(values),
                    "minimum": values.min(),
                    "maximum": values.max(),
                    "mean": round(values.mean(), 6),
                    "median": values.median(),
                    "mode": values.round(2).mode()[0],
                    "cutoff_quantile": 0.85,
                    "cutoff_amount": values.quantile(0.85),
                }
            )
    return pd.DataFrame(rows)


def rfm_scores(clean: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency and monetary value of each customer, and their quintiles."""
    snapshot = clean["invoice_date"].max().to_period("M").end_time.normalize() + pd.Timedelta(days=1)
    scores = (
        clean[clean["is_sale"]]
        .groupby("customer_id")
        .agg(
            last_invoice_at=("invoice_date", "max"),
            frequency=("invoice_no", "nunique"),
            monetary=("line_total", "sum"),
        )
        .reset_index()
    )
    scores["snapshot_date"] = snapshot
    scores["recency_days"] = (snapshot - scores["last_invoice_at"]).dt.days
    scores["r_score"] = pd.qcut(scores["recency_days"], 5, labels=[5, 4, 3, 2, 1]).astype(int)
    scores["f_score"] = pd.qcut(scores["frequency"].rank(method="first"), 5, labels=[1, 2, 3, 4, 5]).astype(int)
    scores["m_score"] = pd.qcut(scores["monetary"], 5, labels=[1, 2, 3, 4, 5]).astype(int)
    digits = scores[["r_score", "f_score", "m_score"]].astype(str)
    scores["rfm_score"] = digits["r_score"] + digits["f_score"] + digits["m_score"]
    return scores


def segments(scores: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """The segment of each customer."""
    net_revenue = clean.groupby("customer_id")["line_total"].sum()
    scores = scores.assign(net_revenue=scores["customer_id"].map(net_revenue).astype(float))
    scores["kept_pct"] = (100 * scores["net_revenue"] / scores["monetary"]).round(6)
    pairs = scores.merge(pd.read_csv(PLAYBOOK), how="cross")
    is_cell = pairs["r_score"].between(pairs["r_min"], pairs["r_max"]) & pairs["f_score"].between(
        pairs["f_min"], pairs["f_max"]
    )
    columns = [
        "customer_id", "segment", "recency_days", "frequency", "monetary", "net_revenue", "kept_pct", "rfm_score",
        "behaviour", "strategy",
    ]  # fmt: skip
    return pairs.loc[is_cell, columns]


def segment_summary(segments: pd.DataFrame) -> pd.DataFrame:
    """Size, value and strategy of each segment."""
    by_segment = segments.groupby("segment")
    summary = pd.DataFrame({"customers": by_segment.size(), "revenue": by_segment["monetary"].sum()})
    summary["net_revenue"] = by_segment["net_revenue"].sum()
    summary["kept_pct"] = (100 * summary["net_revenue"] / summary["revenue"]).round(6)
    for name, column in {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}.items():
        summary[f"{name}_mean"] = by_segment[column].mean().round(6)
        summary[f"{name}_median"] = by_segment[column].median()
    playbook = pd.read_csv(PLAYBOOK)[["segment", "position", "behaviour", "strategy"]]
    summary = playbook.merge(summary.reset_index(), how="left")
    summed = ["customers", "revenue", "net_revenue"]
    summary[summed] = summary[summed].fillna(0)
    summary["customers_pct"] = (100 * summary["customers"] / summary["customers"].sum()).round(6)
    summary["revenue_pct"] = (100 * summary["revenue"] / summary["revenue"].sum()).round(6)
    return summary.astype({"customers": int})
