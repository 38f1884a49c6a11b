-- Net sales by month, doubled invoices once, and what is forecast of them: of one country, or of everybody.
select
    months.invoice_month as month, months.net_sales as actual, cast(null as numeric) as forecast,
    cast(null as numeric) as low_80, cast(null as numeric) as high_80, cast(null as numeric) as low_95,
    cast(null as numeric) as high_95, cast(null as numeric) as year_before, cast(null as text) as method, as_of
from (
    select invoice_month, sales_once as net_sales
    from monthly_metrics
    where cast(:country as text) is null and not is_partial
    union all
    select invoice_month, net_sales_once
    from country_months
    where country = :country and not is_partial
) as months
cross join (select min(as_of) as as_of from forecasts) as asked
union all
select period_start, null, forecast, low_80, high_80, low_95, high_95, year_before, method, as_of
from forecasts
where grain = 'month' and kind = case when cast(:country as text) is null then 'total' else 'country' end
    and (cast(:country as text) is null or series = :country)
order by month
