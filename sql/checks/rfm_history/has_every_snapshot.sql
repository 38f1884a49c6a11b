-- There is a snapshot at each month end, up to a year after the data, and at the snapshot date, and in each of them
-- everybody with a sale before it, and nobody else.
-- blocking
with span as (
    select
        cast(min(invoice_month) as timestamp) + interval '1 month' as first_month_end,
        cast(max(invoice_month) as timestamp) + interval '13 months' as last_month_end,
        coalesce(
            cast(:snapshot_date as timestamp), cast(max(invoice_month) as timestamp) + interval '1 month'
        ) as last_snapshot
    from invoice_totals
),

moments as (
    select month_end as snapshot_date
    from span
    cross join lateral generate_series(
        first_month_end, greatest(first_month_end, least(last_month_end, last_snapshot)), interval '1 month'
    ) as month_ends (month_end)
    where month_end < last_snapshot
    union all
    select last_snapshot from span
),

buyers as (
    select customer_id, min(first_sale_at) as first_sale_at
    from invoice_totals
    where sale_lines > 0
    group by customer_id
),

wanted as (
    select snapshot_date, customer_id
    from moments
    inner join buyers on first_sale_at < snapshot_date
)

select
    coalesce(wanted.snapshot_date, rfm_history.snapshot_date) as snapshot_date,
    coalesce(wanted.customer_id, rfm_history.customer_id) as customer_id,
    rfm_history.customer_id is not null as is_there
from wanted
full join rfm_history
    on wanted.snapshot_date = rfm_history.snapshot_date and wanted.customer_id = rfm_history.customer_id
where wanted.customer_id is null or rfm_history.customer_id is null
