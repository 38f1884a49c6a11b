-- What is typical of the customers of each segment.
select
    segment, count(*) as customers, sum(monetary) as monetary, sum(monetary_once) as monetary_once, sum(net_revenue) as net_revenue,
    percentile_cont(0.5) within group (order by recency_days) as recency_median,
    percentile_cont(0.5) within group (order by frequency) as frequency_median,
    percentile_cont(0.5) within group (order by cast(monetary as double precision)) as monetary_median
from matched
group by segment
