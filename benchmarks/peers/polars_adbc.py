"""polars: every table is built in polars, with exact decimals for money, and written through ADBC."""

import os
import sys
from pathlib import Path

import polars as pl

from benchmarks.peers.common import COLUMNS, PLAYBOOK, copy_block, done

MONEY = pl.Decimal(18, 3)


def main(dump: Path) -> None:
    """The whole job."""
    raw = save("raw_invoices", read_lines(dump))
    clean = save("clean_invoices", clean_invoices(raw))
    save("monthly_metrics", monthly_metrics(clean))
    save("user_activity", user_activity(clean))
    amounts = save("invoice_amounts", clean.group_by("invoice_no").agg(amount=pl.col("line_total").sum()))
    save("invoice_amount_statistics", invoice_amount_statistics(amounts))
    scores = save("rfm_scores", rfm_scores(clean))
    playbook = pl.read_csv(PLAYBOOK)
    segments = save("segments", segments_of(scores, clean, playbook))
    save("segment_summary", segment_summary(segments, playbook))


def save(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Writes the table. Returns the frame."""
    frame.write_database(table, os.environ["DATABASE_URL"], if_table_exists="replace", engine="adbc")
    done(table)
    return frame


def read_lines(dump: Path) -> pl.DataFrame:
    """raw_invoices from the lines of the dump."""
    types = [pl.String, pl.String, pl.String, pl.Int32, pl.String, MONEY, pl.Float64, pl.String]
    with copy_block(dump) as stream:
        raw = pl.read_csv(
            stream.read(),
            separator="\t",
            has_header=False,
            quote_char=None,
            null_values="\\N",
            schema=dict(zip(COLUMNS, types, strict=True)),
        )
    return raw.with_columns(
        pl.col("description").str.replace_all("\\\\", "\\", literal=True),
        pl.col("invoice_date").str.to_datetime("%Y-%m-%d %H:%M:%S"),
        pl.col("customer_id").cast(pl.Int32),
        dump=pl.lit(dump.name),
        line_number=pl.int_range(1, pl.len() + 1),
    )


def clean_invoices(raw: pl.DataFrame) -> pl.DataFrame:
    """The lines, typed and classified. There is one dump, so each of them counts."""
    return (
        raw.with_columns(
            line_total=(pl.col("unit_price") * pl.col("quantity")).cast(MONEY),
            invoice_month=pl.col("invoice_date").dt.date().dt.truncate("1mo"),
            is_cancellation=pl.col("invoice_no").str.starts_with("C"),
            copies=pl.len().over(COLUMNS),
            place=pl.int_range(1, pl.len() + 1).over(COLUMNS),
        )
        .with_columns(
            is_repeat=pl.col("place") > 1,
            is_second_copy=(pl.col("copies") % 2 == 0).all().over("invoice_no")
            & (2 * pl.col("place") > pl.col("copies")),
            is_sale=(pl.col("quantity") > 0)
            & (pl.col("line_total") > 0)
            & pl.col("customer_id").is_not_null()
            & pl.col("description").is_not_null(),
            is_sold=(pl.col("quantity") > 0) & (pl.col("line_total") > 0) & ~pl.col("is_cancellation"),
        )
        .drop("copies", "place")
    )


def monthly_metrics(clean: pl.DataFrame) -> pl.DataFrame:
    """Orders and sales of each month."""
    months = (
        clean.group_by("invoice_month")
        .agg(
            total_orders=pl.col("invoice_no").n_unique(),
            canceled_orders=pl.col("invoice_no").filter("is_cancellation").n_unique(),
            doubled_orders=pl.col("invoice_no").filter("is_second_copy").n_unique(),
            sales=pl.col("line_total").sum(),
            sales_once=pl.col("line_total").filter(~pl.col("is_second_copy")).sum(),
            last_invoice_at=pl.col("invoice_date").max(),
        )
        .sort("invoice_month")
        .with_columns(pl.col("total_orders", "canceled_orders", "doubled_orders").cast(pl.Int64))
    )
    sales = pl.col("sales").cast(pl.Float64)
    last_day = pl.col("invoice_month").dt.month_end().cast(pl.Datetime)
    return months.with_columns(
        placed_orders=pl.col("total_orders") - 2 * pl.col("canceled_orders"),
        sales_growth_pct=(100 * sales.pct_change()).round(6),
        is_partial=(pl.col("invoice_month") == pl.col("invoice_month").max()) & (pl.col("last_invoice_at") < last_day),
    )


def user_activity(clean: pl.DataFrame) -> pl.DataFrame:
    """Active, new and existing customers of each month."""
    active = clean.filter(pl.col("customer_id").is_not_null()).select("customer_id", "invoice_month").unique()
    is_new = pl.col("invoice_month") == pl.col("invoice_month").min().over("customer_id")
    return (
        active.with_columns(is_new=is_new)
        .group_by("invoice_month")
        .agg(
            active_users=pl.len().cast(pl.Int64),
            new_users=pl.col("is_new").sum().cast(pl.Int64),
            existing_users=(~pl.col("is_new")).sum().cast(pl.Int64),
        )
    )


def invoice_amount_statistics(amounts: pl.DataFrame) -> pl.DataFrame:
    """The distribution of the amounts: all and the positive ones, whole and cut at their 85th percentile."""
    every = amounts["amount"].cast(pl.Float64)
    rows = []
    for population, whole in {"all": every, "positive": every.filter(every > 0)}.items():
        for is_cut, values in {False: whole, True: whole.filter(whole <= whole.quantile(0.85, "linear"))}.items():
            rows.append(
                {
                    "population": population,
                    "is_cut": is_cut,
                    "invoices": len(values),
                    "minimum": values.min(),
                    "maximum": values.max(),
                    "mean": values.mean(),
                    "median": values.median(),
                    "mode": values.round(2).mode().min(),
                    "cutoff_quantile": 0.85,
                    "cutoff_amount": values.quantile(0.85, "linear"),
                }
            )
    return pl.DataFrame(rows).with_columns(pl.col(pl.Float64).round(6))


def rfm_scores(clean: pl.DataFrame) -> pl.DataFrame:
    """Recency, frequency and monetary value of each customer, and their quintiles."""
    snapshot = clean["invoice_date"].dt.truncate("1mo").dt.offset_by("1mo").max()
    customers = (
        clean.filter("is_sale")
        .group_by("customer_id")
        .agg(
            last_invoice_at=pl.col("invoice_date").max(),
            frequency=pl.col("invoice_no").n_unique().cast(pl.Int64),
            monetary=pl.col("line_total").sum(),
        )
        .sort("customer_id")
        .with_columns(snapshot_date=pl.lit(snapshot))
        .with_columns(recency_days=(pl.col("snapshot_date") - pl.col("last_invoice_at")).dt.total_days().cast(pl.Int32))
    )
    scores = customers.with_columns(
        r_score=6 - _quintile(pl.col("recency_days")),
        f_score=_quintile(pl.col("frequency").rank("ordinal")),
        m_score=_quintile(pl.col("monetary").cast(pl.Float64)),
    )
    return scores.with_columns(rfm_score=pl.concat_str("r_score", "f_score", "m_score"))


def segments_of(scores: pl.DataFrame, clean: pl.DataFrame, playbook: pl.DataFrame) -> pl.DataFrame:
    """The segment of each customer."""
    columns = [
        "customer_id", "segment", "recency_days", "frequency", "monetary", "net_revenue", "kept_pct", "rfm_score",
        "behaviour", "strategy",
    ]  # fmt: skip
    net = clean.group_by("customer_id").agg(net_revenue=pl.col("line_total").sum())
    kept = pl.col("net_revenue").cast(pl.Float64) / pl.col("monetary").cast(pl.Float64)
    customers = scores.join(net, on="customer_id").with_columns(kept_pct=(100 * kept).round(6))
    return customers.join_where(
        playbook,
        pl.col("r_score") >= pl.col("r_min"),
        pl.col("r_score") <= pl.col("r_max"),
        pl.col("f_score") >= pl.col("f_min"),
        pl.col("f_score") <= pl.col("f_max"),
    ).select(columns)


def segment_summary(segments: pl.DataFrame, playbook: pl.DataFrame) -> pl.DataFrame:
    """Size, value and strategy of each segment."""
    measures = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
    value = {name: pl.col(column).cast(pl.Float64) for name, column in measures.items()}
    summary = segments.group_by("segment").agg(
        customers=pl.len().cast(pl.Int64),
        revenue=pl.col("monetary").sum(),
        net_revenue=pl.col("net_revenue").sum(),
        **{f"{name}_mean": column.mean().round(6) for name, column in value.items()},
        **{f"{name}_median": column.median().round(6) for name, column in value.items()},
    )
    of_all = playbook.select("segment", "position", "behaviour", "strategy").join(summary, on="segment", how="left")
    kept = pl.col("net_revenue").cast(pl.Float64) / pl.col("revenue").cast(pl.Float64)
    return of_all.with_columns(
        pl.col("customers", "revenue", "net_revenue").fill_null(0), kept_pct=(100 * kept).round(6)
    ).with_columns(
        customers_pct=(100 * pl.col("customers") / pl.col("customers").sum()).round(6),
        revenue_pct=(100 * pl.col("revenue").cast(pl.Float64) / pl.col("revenue").sum().cast(pl.Float64)).round(6),
    )


def _quintile(values: pl.Expr) -> pl.Expr:
    edges = [values.quantile(part / 5, "linear") for part in range(1, 5)]
    return 1 + pl.sum_horizontal((values > edge).cast(pl.Int64) for edge in edges)


if __name__ == "__main__":
    done("start")
    main(Path(sys.argv[1]))
