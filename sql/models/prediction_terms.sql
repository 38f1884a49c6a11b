with span as (
    select
        date_trunc('day', min(invoice_date)) as observed_from,
        date_trunc('day', max(invoice_date)) + interval '1 day' as unobserved_from,
        date_trunc('day', coalesce(
            cast(:as_of as timestamp),
            cast(:snapshot_date as timestamp),
            date_trunc('month', max(invoice_date)) + interval '1 month'
        )) as as_of
    from clean_invoices
),

observed as (
    select
        span.as_of,
        span.observed_from,
        least(span.as_of, span.unobserved_from) as observed_until,
        span.as_of >= span.unobserved_from as is_ahead,
        count(distinct customer_days.customer_id) as customers
    from span
    left join customer_days on cast(customer_days.day as timestamp) < span.as_of and customer_days.sales > 0
    where span.observed_from < span.as_of
    group by span.as_of, span.observed_from, span.unobserved_from
)

select
    cast(as_of as date) as as_of,
    cast(observed_from as date) as observed_from,
    cast(observed_until as date) as observed_until,
    -- Nothing is learned or judged on older ones: three years hold three of each season, and work does not grow with age.
    cast(greatest(
        date_trunc('month', observed_from) + interval '1 month',
        date_trunc('month', observed_until) - interval '36 months'
    ) as date) as features_from,
    is_ahead,
    customers,
    cast(:discount_pct as decimal(9, 6)) as discount_pct,
    case
        when customers < 500
            then concat('Needs 500 customers with a sale; there are ', customers, '.')
        when observed_until < observed_from + interval '15 months'
            then concat('Needs 15 months of lines; they begin on ', cast(observed_from as date), '.')
    end as unavailable_because
from observed
