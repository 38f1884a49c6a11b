-- Sales are those of forecasts and customer_value.
-- error
with expected as (
    select kind, series, period_start, cast(null as bigint) as days, forecast as sales
    from forecasts
    where kind in ('total', 'country') and grain = 'month'
    union all
    select 'customer' as kind, concat(customer_id, '') as series, as_of as period_start, horizon_days as days, sales
    from customer_value
)

select
    expected_margins.kind,
    expected_margins.series,
    expected_margins.period_start,
    expected_margins.days,
    expected_margins.sales,
    expected.sales as expected_sales
from expected_margins
left join expected
    on expected_margins.kind = expected.kind
    and expected_margins.series = expected.series
    and expected_margins.period_start = expected.period_start
    and expected_margins.days = coalesce(expected.days, expected_margins.days)
where expected_margins.sales is distinct from expected.sales
