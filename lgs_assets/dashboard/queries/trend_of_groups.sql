-- The same where the filters pick whole groups.
select snapshot_date, segment, cast(sum(customers) as bigint) as customers
from customer_groups
where
    snapshot_date = any(cast(:moments as timestamp[]))
    and {picked_cohorts}
    and {picked_groups}
group by snapshot_date, segment
order by snapshot_date
