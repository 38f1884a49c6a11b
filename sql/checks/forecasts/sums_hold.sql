-- The interval of a sum is the same for all periods of a series and horizon, and holds the sum of their forecasts, each of
-- which is rounded.
-- error
select kind, series, grain, horizon, sum(forecast) as total, min(sum_low_80) as low, max(sum_high_80) as high
from forecasts
group by kind, series, grain, horizon
having
    count(distinct sum_low_80) > 1
    or count(distinct sum_high_80) > 1
    or count(sum_low_80) not in (0, count(*))
    or sum(forecast) < min(sum_low_80) - 0.01 * count(*)
    or sum(forecast) > max(sum_high_80) + 0.01 * count(*)
