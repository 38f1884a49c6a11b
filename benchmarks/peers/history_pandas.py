"""pandas as a notebook would use it: the lines by read_sql, months by groupby, tables by to_sql."""

import os
from typing import Any

import pandas as pd
import sqlalchemy as sa

from benchmarks.peers.common import done

LINES = """
select invoice_no, stock_code, quantity, line_total::float8, customer_id, country, invoice_month, is_sale, is_sold,
    is_cancellation, is_second_copy
from lgs.clean_invoices
"""


def product_months(lines: pd.DataFrame, codes: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """What each product sold, month by month."""
    lines = lines.merge(codes[codes["is_product"]], on="stock_code")
    is_return = lines["is_cancellation"] & (lines["quantity"] < 0)
    once = ~lines["is_second_copy"]
    measures = {
        "lines": lines["is_sold"] | True,
        "net_sales": lines["line_total"],
        "net_sales_once": lines["line_total"].where(once, 0),
        "units_sold": lines["quantity"].where(lines["is_sold"], 0),
        "sales": lines["line_total"].where(lines["is_sold"], 0),
        "units_sold_once": lines["quantity"].where(lines["is_sold"] & once, 0),
        "sales_once": lines["line_total"].where(lines["is_sold"] & once, 0),
        "return_lines": is_return,
        "units_returned": -lines["quantity"].where(is_return, 0),
        "returned": -lines["line_total"].where(is_return, 0),
    }
    by = ["code", "invoice_month"]
    return lines[by].assign(**measures).groupby(by).sum().reset_index().merge(months, on="invoice_month")


def country_months(lines: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """Sales, orders and customers of each country, month by month."""
    by = ["country", "invoice_month"]
    once = lines["line_total"].where(~lines["is_second_copy"], 0)
    totals = lines[by].assign(net_sales=lines["line_total"], net_sales_once=once).groupby(by).sum()
    sales = lines[lines["is_sale"]]
    first = sales.groupby("customer_id")["invoice_month"].transform("min")
    sold = sales.assign(sales_once=once[sales.index], new=sales["customer_id"].where(sales["invoice_month"] == first))
    totals = totals.join(
        sold.groupby(by).agg(
            sales=("line_total", "sum"),
            sales_once=("sales_once", "sum"),
            orders=("invoice_no", "nunique"),
            customers=("customer_id", "nunique"),
            new_customers=("new", "nunique"),
        )
    )
    counts = ["orders", "customers", "new_customers"]
    totals = totals.fillna(0).astype(dict.fromkeys(counts, "int64"))
    return totals.reset_index().merge(months, on="invoice_month")


def segment_products(lines: pd.DataFrame, codes: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """What the customers of each segment bought."""
    sales = lines[lines["is_sale"]].merge(codes[codes["is_product"]], on="stock_code").merge(segments, on="customer_id")
    once = ~sales["is_second_copy"]
    measures: dict[str, Any] = {
        "lines": 1,
        "units": sales["quantity"],
        "sales": sales["line_total"],
        "units_once": sales["quantity"].where(once, 0),
        "sales_once": sales["line_total"].where(once, 0),
    }
    by = ["segment", "invoice_month", "code"]
    return sales[by].assign(**measures).groupby(by).sum().reset_index()


def save(engine: sa.Engine, table: str, frame: pd.DataFrame) -> None:
    """As a notebook does it."""
    frame.to_sql(table, engine, schema="public", if_exists="replace", index=False)
    done(table)


if __name__ == "__main__":
    engine = sa.create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"))
    done("start")
    lines = pd.read_sql(LINES, engine)
    codes = pd.read_sql("select * from lgs.stock_codes", engine)
    months = pd.read_sql("select invoice_month, is_partial from lgs.monthly_metrics", engine)
    segments = pd.read_sql("select customer_id, segment from lgs.segments", engine)
    done("lines")
    save(engine, "product_months", product_months(lines, codes, months))
    save(engine, "country_months", country_months(lines, months))
    save(engine, "segment_products", segment_products(lines, codes, segments))
