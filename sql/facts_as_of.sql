-- audience_facts as it would have been at {start}, a snapshot of rfm_history, made only from what lay before. A rule finds
-- in it whom it would have found then, unless it asks for a prediction: those of earlier days are not known for everybody.
with earlier as (
    select * from invoice_totals where customer_id is not null and last_invoice_at < {start}
),

money as (
    select customer_id, sum(amount) as net_revenue
    from earlier
    group by customer_id
),

countries as (
    select distinct on (customer_id) customer_id, country
    from (
        select customer_id, country, sum(sale_amount) as sales, max(last_sale_at) as last_sale_at
        from earlier
        where sale_lines > 0
        group by customer_id, country
    ) as by_country
    order by customer_id, sales desc, last_sale_at desc, country collate "C"
),

orders as (
    select customer_id, percentile_cont(0.5) within group (order by amount) as typical_order
    from (
        select customer_id, invoice_no, sum(sale_amount) as amount
        from earlier
        where sale_lines > 0
        group by customer_id, invoice_no
    ) as by_invoice
    group by customer_id
),

days as (
    select
        customer_id,
        count(*) as purchase_days,
        percentile_cont(0.5) within group (order by gap) as typical_gap_days
    from (
        select customer_id, day - lag(day) over (partition by customer_id order by day) as gap
        from customer_days
        where sales > 0 and day < {start}
    ) as gaps
    group by customer_id
)

select
    rfm_history.customer_id,
    rfm_history.snapshot_date,
    rfm_history.segment,
    concat(r_score, f_score, m_score) as rfm_score,
    rfm_history.r_score,
    rfm_history.f_score,
    rfm_history.m_score,
    rfm_history.recency_days,
    rfm_history.frequency,
    rfm_history.monetary,
    money.net_revenue,
    round(100 * money.net_revenue / rfm_history.monetary, 6) as kept_pct,
    countries.country,
    customer_profile.first_sale_at,
    rfm_history.last_invoice_at,
    days.purchase_days,
    round(orders.typical_order::numeric, 6) as typical_order,
    round(days.typical_gap_days::numeric, 6) as typical_gap_days,
    round(rfm_history.recency_days / nullif(days.typical_gap_days, 0)::numeric, 6) as gaps_missed,
    null::numeric as value,
    null::text as risk_band,
    null::date as expected_next_day
from rfm_history
inner join money on rfm_history.customer_id = money.customer_id
inner join countries on rfm_history.customer_id = countries.customer_id
inner join orders on rfm_history.customer_id = orders.customer_id
inner join days on rfm_history.customer_id = days.customer_id
inner join customer_profile on rfm_history.customer_id = customer_profile.customer_id
where rfm_history.snapshot_date = {start}
