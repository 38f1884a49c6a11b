-- greatest(1, ceil(5 * percent_rank())) is pandas.qcut(x, 5) without a quantile function: the quintile of the value
-- by linear interpolation, right-closed. NTILE is another rule, and moves customers.
with snapshot as (
    select
        coalesce(
            cast(:snapshot_date as timestamp), date_trunc('month', max(last_invoice_at)) + interval '1 month'
        ) as snapshot_date
    from invoice_totals
),

customers as (
    select
        customer_id,
        max(last_sale_at) as last_invoice_at,
        count(distinct invoice_no) as frequency,
        sum(sale_amount) as monetary
    from invoice_totals
    where sale_lines > 0
    group by customer_id
),

measured as (
    select
        customers.*,
        snapshot_date,
        cast(extract(day from snapshot_date - last_invoice_at) as integer) as recency_days
    from customers
    cross join snapshot
),

scored as (
    select
        measured.*,
        6 - cast(greatest(1, ceil(5 * percent_rank() over (order by recency_days))) as smallint) as r_score,
        cast(greatest(1, ceil(5 * percent_rank() over (
            order by frequency, case when :ties = 'together' then 0 else customer_id end
        ))) as smallint) as f_score,
        cast(greatest(1, ceil(5 * percent_rank() over (order by monetary))) as smallint) as m_score
    from measured
)

select
    customer_id,
    snapshot_date,
    last_invoice_at,
    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,
    concat(r_score, f_score, m_score) as rfm_score
from scored
