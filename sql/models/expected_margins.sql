with year as (
    select
        max(cast(invoice_month as timestamp)) - interval '11 months' as first_month,
        max(cast(invoice_month as timestamp)) as last_month
    from monthly_metrics
    cross join prediction_terms
    where not is_partial and cast(invoice_month as timestamp) < cast(as_of as timestamp)
),

earned as (
    select dimension, member, sum(sales) as sales, sum(known_sales) as known_sales, sum(margin) as margin
    from margins
    inner join year on cast(invoice_month as timestamp) between first_month and last_month
    where dimension in ('country', 'customer')
    group by dimension, member
),

countries as (
    select distinct series from forecasts where kind = 'country' and grain = 'month'
),

by_series as (
    select 'total' as kind, 'All sales' as series, sales, known_sales, margin
    from earned
    where dimension = 'country'
    union all
    select 'country' as kind, coalesce(series, 'Other countries') as series, sales, known_sales, margin
    from earned
    left join countries on member = series
    where dimension = 'country'
    union all
    select 'customer' as kind, member as series, sales, known_sales, margin
    from earned
    where dimension = 'customer'
),

rates as (
    select
        kind,
        series,
        cast(round(sum(known_sales) / sum(sales), 6) as decimal(18, 6)) as known_share,
        cast(round(sum(margin) / sum(known_sales), 6) as decimal(18, 6)) as margin_rate
    from by_series
    group by kind, series
    having sum(known_sales) > 0
),

expected as (
    select
        kind,
        series,
        period_start,
        cast(
            extract(day from cast(period_start as timestamp) + interval '1 month' - interval '1 day') as bigint
        ) as days,
        low_80 as low,
        forecast as sales,
        high_80 as high
    from forecasts
    where kind in ('total', 'country') and grain = 'month'
    union all
    select
        'customer' as kind,
        concat(customer_id, '') as series,
        as_of as period_start,
        horizon_days as days,
        sales_low as low,
        sales,
        sales_high as high
    from customer_value
)

select
    expected.kind,
    expected.series,
    period_start,
    days,
    sales,
    known_share,
    margin_rate,
    round(least(low * margin_rate, high * margin_rate), 2) as margin_low,
    round(sales * margin_rate, 2) as margin,
    round(greatest(low * margin_rate, high * margin_rate), 2) as margin_high
from expected
inner join rates on expected.kind = rates.kind and expected.series = rates.series
