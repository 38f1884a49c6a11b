with moment as (
    select
        min(invoice_date) as first_line_at,
        date_trunc('day', coalesce(
            cast(:as_of as timestamp),
            cast(:snapshot_date as timestamp),
            date_trunc('month', max(invoice_date)) + interval '1 month'
        )) as as_of
    from clean_invoices
),

observed as (
    select
        moment.as_of,
        moment.first_line_at,
        max(invoice_date) as last_line_at,
        count(distinct case when is_sale then customer_id end) as customers
    from clean_invoices
    inner join moment on clean_invoices.invoice_date < moment.as_of
    group by moment.as_of, moment.first_line_at
)

select
    cast(as_of as date) as as_of,
    cast(first_line_at as date) as observed_from,
    cast(date_trunc('day', last_line_at) + interval '1 day' as date) as observed_until,
    customers,
    cast(:discount_pct as decimal(9, 6)) as discount_pct,
    case
        when customers < 500
            then concat('Needs 500 customers with a sale; there are ', customers, '.')
        when date_trunc('day', last_line_at) + interval '1 day' < date_trunc('day', first_line_at) + interval '15 months'
            then concat('Needs 15 months of lines; they begin on ', cast(first_line_at as date), '.')
    end as unavailable_because
from observed
