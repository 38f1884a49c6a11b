-- Each series has every period of its horizon, from the first after the last whole one, which is the same for all.
-- error
select kind, series, grain, horizon, count(*) as periods, min(period_start) as first_period
from forecasts
group by kind, series, grain, horizon
having
    count(*) <> horizon
    or min(step) <> 1
    or max(step) <> horizon
    or min(period_start) <> (select min(period_start) from forecasts as others where others.grain = forecasts.grain)
