-- greatest(1, ceil(5 * percent_rank())) is pandas.qcut(x, 5) without a quantile function: the quintile of the value
-- by linear interpolation, right-closed. NTILE is another rule, and moves customers.
with span as (
    select
        cast(min(invoice_month) as timestamp) + interval '1 month' as first_month_end,
        date_trunc('month', max(last_invoice_at)) + interval '13 months' as last_month_end,
        coalesce(
            cast(:snapshot_date as timestamp), date_trunc('month', max(last_invoice_at)) + interval '1 month'
        ) as last_snapshot
    from invoice_totals
),

-- A year typed wrongly makes no thousand snapshots: they end a year after the data. A check refuses a later date.
snapshots as (
    select month_end as snapshot_date
    from span
    cross join lateral generate_series(
        first_month_end, greatest(first_month_end, least(last_month_end, last_snapshot)), interval '1 month'
    ) as month_ends (month_end)
    where month_end < last_snapshot
    union all
    select last_snapshot from span
),

-- Each sale counts from the first snapshot after it. One after the last snapshot stays in that, for the contract to
-- refuse: to leave it out would hide it.
sales as (
    select
        customer_id,
        least(cast(invoice_month as timestamp) + interval '1 month', last_snapshot) as snapshot_date,
        last_sale_at,
        sale_amount,
        sale_amount - second_copy_sale_amount as sale_amount_once,
        row_number() over (partition by customer_id, invoice_no order by invoice_day) as part_of_invoice
    from invoice_totals
    cross join span
    where sale_lines > 0
),

periods as (
    select
        customer_id,
        snapshot_date,
        max(last_sale_at) as last_sale_at,
        count(case when part_of_invoice = 1 then 1 end) as invoices,
        sum(sale_amount) as sales,
        sum(sale_amount_once) as sales_once
    from sales
    group by customer_id, snapshot_date
),

-- A customer's figures stand from one snapshot until the next that follows a purchase.
accumulated as (
    select
        customer_id,
        snapshot_date as stands_from,
        lead(snapshot_date) over (partition by customer_id order by snapshot_date) as stands_until,
        last_sale_at as last_invoice_at,
        cast(sum(invoices) over (partition by customer_id order by snapshot_date) as bigint) as frequency,
        sum(sales) over (partition by customer_id order by snapshot_date) as monetary,
        sum(sales_once) over (partition by customer_id order by snapshot_date) as monetary_once
    from periods
),

measured as (
    select
        snapshot_date,
        customer_id,
        last_invoice_at,
        cast(extract(day from snapshot_date - last_invoice_at) as integer) as recency_days,
        frequency,
        monetary,
        monetary_once
    from accumulated
    inner join snapshots
        on snapshot_date >= stands_from and (snapshot_date < stands_until or stands_until is null)
),

scored as (
    select
        measured.*,
        6 - cast(greatest(1, ceil(5 * percent_rank() over (
            partition by snapshot_date order by recency_days
        ))) as smallint) as r_score,
        cast(greatest(1, ceil(5 * percent_rank() over (
            partition by snapshot_date order by frequency, case when :ties = 'together' then 0 else customer_id end
        ))) as smallint) as f_score,
        cast(greatest(1, ceil(5 * percent_rank() over (
            partition by snapshot_date order by monetary
        ))) as smallint) as m_score
    from measured
),

-- A customer whose cell is not on the map keeps a NULL segment, which the contract refuses: nobody is lost in silence.
named as (
    select
        scored.*,
        segment,
        lag(segment) over (partition by customer_id order by snapshot_date) as previous_segment
    from scored
    left join segment_playbook on r_score between r_min and r_max and f_score between f_min and f_max
)

select
    snapshot_date,
    customer_id,
    last_invoice_at,
    recency_days,
    frequency,
    monetary,
    monetary_once,
    r_score,
    f_score,
    m_score,
    segment,
    previous_segment,
    max(case when previous_segment is null or previous_segment <> segment then snapshot_date end) over (
        partition by customer_id order by snapshot_date
    ) as segment_since
from named
-- Each snapshot lies together, as it is read.
order by snapshot_date, customer_id
