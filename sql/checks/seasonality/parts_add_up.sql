-- Every series of at least 24 whole months, none of which is missing, is split; and trend, season and remainder add up to
-- its value, except for the last digits of floats.
-- error
with long_enough as (
    select series
    from monthly_series
    where not is_partial
    group by series
    having
        count(*) >= 24
        and count(value) = count(*)
        and max(invoice_month) = min(invoice_month) + (count(*) - 1) * interval '1 month'
),

months as (
    select monthly_series.series, monthly_series.invoice_month, monthly_series.value
    from monthly_series
    inner join long_enough on monthly_series.series = long_enough.series
    where not monthly_series.is_partial
)

select
    coalesce(months.series, seasonality.series) as series,
    coalesce(months.invoice_month, seasonality.invoice_month) as invoice_month,
    months.value,
    seasonality.trend,
    seasonality.season,
    seasonality.remainder
from months
full join seasonality on months.series = seasonality.series and months.invoice_month = seasonality.invoice_month
where not coalesce(abs(months.value - trend - season - remainder) <= 0.000001 * greatest(1, abs(months.value)), false)
