-- Why customers moved, in the step that ends at :snapshot.
select cause, sum(customers) as customers
from segment_migrations
where step = :step and snapshot_to = :snapshot
group by cause
order by customers desc, cause
