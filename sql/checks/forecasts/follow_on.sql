-- The total and each country of daily_series is forecast by month; and every series has each period of its horizon, from
-- the first after the last whole one, which is the same for all.
-- error
select kind, series, grain, horizon, count(*) as periods, min(period_start) as first_period
from forecasts
group by kind, series, grain, horizon
having
    count(*) <> horizon
    or min(step) <> 1
    or max(step) <> horizon
    or min(period_start) <> (select min(period_start) from forecasts as others where others.grain = forecasts.grain)
union all
select daily_series.kind, daily_series.series, 'month', null, 0, null
from (select distinct kind, series from daily_series where kind in ('total', 'country')) as daily_series
left join forecasts
    on daily_series.kind = forecasts.kind and daily_series.series = forecasts.series and forecasts.grain = 'month'
where forecasts.series is null
