-- Net sales by month, doubled invoices once, what is forecast of them, and what they earn at the rate of those whose cost is
-- known, in the month itself or, of what is forecast, in the last year: of one country, or of everybody.
with outlook as (
    select
        months.invoice_month as month, months.net_sales as actual, cast(null as numeric) as forecast,
        cast(null as numeric) as low_80, cast(null as numeric) as high_80, cast(null as numeric) as low_95,
        cast(null as numeric) as high_95, cast(null as numeric) as year_before, cast(null as text) as method, first_month
    from (
        select invoice_month, sales_once as net_sales
        from monthly_metrics
        where cast(:country as text) is null and not is_partial
        union all
        select invoice_month, net_sales_once
        from country_months
        where country = :country and not is_partial
    ) as months
    cross join (select min(period_start) filter (where grain = 'month') as first_month from forecasts) as asked
    union all
    select period_start, null, forecast, low_80, high_80, low_95, high_95, year_before, method, null
    from forecasts
    where grain = 'month' and kind = case when cast(:country as text) is null then 'total' else 'country' end
        and (cast(:country as text) is null or series = :country)
),

earned as (
    select
        invoice_month, sum(margin) / nullif(sum(known_sales), 0) as rate, sum(known_sales) / sum(sales) as known_share
    from margins
    where dimension = 'country' and (cast(:country as text) is null or member = :country)
    group by invoice_month
)

select
    outlook.*, coalesce(expected.margin, round(outlook.actual * earned.rate, 2)) as margin, expected.margin_low, expected.margin_high,
    coalesce(expected.known_share, earned.known_share) as known_share
from outlook
left join earned on outlook.forecast is null and outlook.month = earned.invoice_month
left join expected_margins as expected
    on outlook.forecast is not null
    and outlook.month = expected.period_start
    and expected.kind = case when cast(:country as text) is null then 'total' else 'country' end
    and (cast(:country as text) is null or expected.series = :country)
order by month
