"""Streamlit: the overview of the dashboard as a user would write it. `streamlit run` it with DATABASE_URL set."""

import os

import pandas as pd
import streamlit as st

BEST = ("Champions", "Loyal Customers")
GONE = ("Can't Lose", "At Risk", "About to Sleep", "Hibernating")

st.set_page_config(page_title="London Gift Shop", layout="wide")
warehouse = st.connection("warehouse", type="sql", url=os.environ["DATABASE_URL"])


def read(query: str, **parameters: object) -> pd.DataFrame:
    """The rows of a query, kept for ten minutes."""
    found: pd.DataFrame = warehouse.query(query, params=parameters, ttl=600)
    return found


months = read(
    """
    select invoice_month, placed_orders, sales, sales_once, is_partial, active_users, new_users
    from lgs.monthly_metrics left join lgs.user_activity using (invoice_month)
    order by invoice_month
    """
)
whole = months.loc[~months["is_partial"], "invoice_month"]
countries = read("select distinct country from lgs.customer_profile order by country")

as_of = st.sidebar.selectbox("As of", whole[::-1], format_func=lambda month: f"{month:%b %Y}")
country = st.sidebar.selectbox("Country", ["all", *countries["country"]])

groups = read(
    """
    select now.segment, before.segment as segment_before, count(*) as customers, sum(now.monetary) as monetary
    from lgs.rfm_history as now
    inner join lgs.customer_profile using (customer_id)
    left join lgs.rfm_history as before
        on before.customer_id = now.customer_id and before.snapshot_date = :as_of
    where now.snapshot_date = cast(:as_of as timestamp) + interval '1 month'
        and (:country = 'all' or country = :country)
    group by now.segment, before.segment
    """,
    as_of=as_of,
    country=country,
)

st.title("How are we doing, and what needs doing this week?")

by_month = months.set_index("invoice_month")
now = by_month.loc[as_of]
years_ago = [month for month in (as_of - pd.DateOffset(years=1),) if month in by_month.index]


def change(column: str) -> str | None:
    """The change on the same month last year."""
    return f"{(now[column] / by_month.loc[years_ago[0], column] - 1) * 100:.1f} %" if years_ago else None


figures = st.columns(5)
figures[0].metric(f"Net sales, {as_of:%b %Y}", f"£{now['sales']:,.0f}", change("sales_once"))
figures[1].metric("Orders placed", f"{now['placed_orders']:,}", change("placed_orders"))
figures[2].metric("Active customers", f"{now['active_users']:,.0f}", change("active_users"))
figures[3].metric("New customers", f"{now['new_users']:,.0f}", change("new_users"))
is_best = groups["segment"].isin(BEST)
share = groups.loc[is_best, "monetary"].sum() / groups["monetary"].sum()
figures[4].metric("Champions and Loyal Customers", f"{share:.0%} of sales")

chart, tasks = st.columns([2, 1])
with chart:
    st.subheader("What do we sell each month?")
    st.bar_chart(months.assign(sales=months["sales"].astype(float)), x="invoice_month", y="sales")
with tasks:
    st.subheader("To do this week")
    slipped = groups[groups["segment_before"].isin(BEST) & groups["segment"].isin(GONE)]
    for title, rows in (
        ("customers we cannot lose", groups[groups["segment"] == "Can't Lose"]),
        ("good customers slipped away", slipped),
        ("customers at risk", groups[groups["segment"] == "At Risk"]),
        ("newcomers to win", groups[groups["segment"].isin(["New Customers", "Promising"])]),
    ):
        st.markdown(f"- **{rows['customers'].sum():,} {title}**: £{rows['monetary'].sum():,.0f} so far")

st.subheader("Who are our customers, and who brings the sales?")
sizes = groups.groupby("segment")[["customers", "monetary"]].sum().astype(float)
by_customers, by_sales = st.columns(2)
by_customers.bar_chart(sizes["customers"], horizontal=True)
by_sales.bar_chart(sizes["monetary"], horizontal=True)
st.dataframe(sizes)
