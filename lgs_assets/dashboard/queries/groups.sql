-- How many customers are in each segment, and where they were a step before.
select
    segment, segment_before, cast(sum(customers) as bigint) as customers, sum(monetary) as monetary,
    sum(monetary_once) as monetary_once, sum(monetary_before) as monetary_before,
    sum(monetary_once_before) as monetary_once_before,
    cast(coalesce(sum(customers) filter (where spent_from >= :worth), 0) as bigint) as worth_customers,
    sum(monetary) filter (where spent_from >= :worth) as worth_monetary
from counted
group by segment, segment_before
