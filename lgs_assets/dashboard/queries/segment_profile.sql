-- Of one segment: who came and went, where they are, and by what they spent, how often they ordered and how long ago;
-- and where the median of all customers is among these. One row a kind and value.
select
    'move' as kind, segment, segment_before, cast(null as text) as country, cast(null as integer) as position,
    cast(sum(customers) as bigint) as customers, sum(monetary) as monetary
from counted
group by segment, segment_before
union all
select 'country', null, null, country, null, cast(sum(customers) as bigint), sum(monetary)
from counted
where segment = :segment
group by country
union all
select
    'spent', null, null, null, width_bucket(spent_from, array[100, 250, 500, 1000, 2500, 5000, 10000]::numeric[]),
    cast(sum(customers) as bigint), sum(monetary)
from counted
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
select 'median', kind, null, null, position, customers, median
from (
    select
        percentile_disc(0.5) within group (order by monetary) as spent,
        percentile_disc(0.5) within group (order by frequency) as orders,
        percentile_disc(0.5) within group (order by recency_days) as days,
        count(*) as customers
    from matched
) as medians
cross join lateral (values
    ('spent', width_bucket(spent, array[100, 250, 500, 1000, 2500, 5000, 10000]::numeric[]), spent),
    ('orders', least(orders, 10), orders),
    ('days', least(days / 30, 24), days)
) as of_each (kind, position, median)
