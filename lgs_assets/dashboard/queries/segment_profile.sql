-- Of one segment: by what they spent, how often they ordered and how long ago, and where they are. One row a kind and
-- value.
select 'country' as kind, country as label, cast(null as integer) as position, count(*) as customers, sum(monetary) as monetary
from matched
group by country
union all
select 'spent', null, width_bucket(monetary, array[100, 250, 500, 1000, 2500, 5000, 10000]::numeric[]), count(*), sum(monetary)
from matched
group by 3
union all
select 'orders', null, least(frequency, 10), count(*), sum(monetary)
from matched
group by 3
union all
select 'days', null, least(recency_days / 30, 24), count(*), sum(monetary)
from matched
group by 3
