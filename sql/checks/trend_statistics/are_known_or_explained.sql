-- Each series has each of the methods: with a slope, or with the reason why there is none.
-- error
select monthly_series.series, count(trend_statistics.method) as methods
from (select distinct series from monthly_series) as monthly_series
left join trend_statistics
    on monthly_series.series = trend_statistics.series
    and (trend_statistics.slope_per_month is null) = (trend_statistics.reason is not null)
group by monthly_series.series
having
    count(trend_statistics.method) = 0
    or count(trend_statistics.method) < (select count(distinct method) from trend_statistics)
