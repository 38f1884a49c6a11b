-- How many customers are in each segment, and where they were a step before.
select
    segment, segment_before, count(*) as customers, sum(monetary) as monetary,
    sum(monetary_once) as monetary_once, sum(monetary_before) as monetary_before,
    sum(monetary_once_before) as monetary_once_before,
    count(*) filter (where monetary >= :worth) as worth_customers,
    sum(monetary) filter (where monetary >= :worth) as worth_monetary
from matched
group by segment, segment_before
