-- Of one segment: who came and went, where they are, and by what they spent, how often they ordered and how long ago.
-- One row a kind and value.
select
    'move' as kind, segment, segment_before, cast(null as text) as country, cast(null as integer) as position,
    count(*) as customers, sum(monetary) as monetary
from matched
group by segment, segment_before
union all
select 'country', null, null, country, null, count(*), sum(monetary)
from matched
where segment = :segment
group by country
union all
select
    'spent', null, null, null, width_bucket(monetary, array[100, 250, 500, 1000, 2500, 5000, 10000]::numeric[]), count(*),
    sum(monetary)
from matched
where segment = :segment
group by 5
union all
select 'orders', null, null, null, least(frequency, 10), count(*), sum(monetary)
from matched
where segment = :segment
group by 5
union all
select 'days', null, null, null, least(recency_days / 30, 24), count(*), sum(monetary)
from matched
where segment = :segment
group by 5
