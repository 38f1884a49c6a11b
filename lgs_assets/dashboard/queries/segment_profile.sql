-- Of one segment: who came and went, where they are, and by what they spent, how often they ordered and how long ago;
-- and where the median of all customers is among these. One row a kind and value.
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
union all
select
    'median', 'spent', null, null,
    width_bucket(median, array[100, 250, 500, 1000, 2500, 5000, 10000]::numeric[]), customers, median
from (select percentile_disc(0.5) within group (order by monetary) as median, count(*) as customers from matched) as spent
union all
select 'median', 'orders', null, null, least(median, 10), customers, median
from (select percentile_disc(0.5) within group (order by frequency) as median, count(*) as customers from matched) as ordered
union all
select 'median', 'days', null, null, least(median / 30, 24), customers, median
from (select percentile_disc(0.5) within group (order by recency_days) as median, count(*) as customers from matched) as waited
