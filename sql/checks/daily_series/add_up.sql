-- The countries of a day add up to its total.
-- error
select day, sum(case when kind = 'total' then amount end) as total, sum(case when kind = 'country' then amount end) as countries
from daily_series
where kind in ('total', 'country')
group by day
having sum(case when kind = 'total' then amount end) is distinct from sum(case when kind = 'country' then amount end)
