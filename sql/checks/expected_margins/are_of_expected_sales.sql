-- Sales are those of forecasts and customer_value; and of all sales, and each country and customer, whose margin over the
-- last twelve whole months is known, none is missing.
-- error
with expected as (
    select
        kind,
        series,
        period_start,
        cast(period_start + interval '1 month' as date) - period_start as days,
        forecast as sales
    from forecasts
    where kind in ('total', 'country') and grain = 'month'
    union all
    select 'customer' as kind, concat(customer_id, '') as series, as_of as period_start, horizon_days as days, sales
    from customer_value
),

earned as (
    select dimension, member
    from margins
    cross join (
        select max(invoice_month) as last_month
        from monthly_metrics
        inner join prediction_terms on invoice_month < as_of
        where not is_partial
    ) as year
    where known_sales > 0 and invoice_month > last_month - interval '1 year' and invoice_month <= last_month
),

known as (
    select 'total' as kind, 'All sales' as series from earned
    union
    select dimension, member from earned where dimension in ('country', 'customer')
)

select
    coalesce(expected_margins.kind, expected.kind) as kind,
    coalesce(expected_margins.series, expected.series) as series,
    coalesce(expected_margins.period_start, expected.period_start) as period_start,
    coalesce(expected_margins.days, expected.days) as days,
    expected_margins.sales,
    expected.sales as expected_sales
from expected_margins
full join expected
    on expected_margins.kind = expected.kind
    and expected_margins.series = expected.series
    and expected_margins.period_start = expected.period_start
    and expected_margins.days = expected.days
left join known on expected.kind = known.kind and expected.series = known.series
where
    expected_margins.sales is distinct from expected.sales
    and (expected_margins.kind is not null or known.kind is not null)
