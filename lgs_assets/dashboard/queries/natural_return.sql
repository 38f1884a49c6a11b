-- What the customers of each segment did next, at the latest start that the data covers, and how that varied before.
select
    latest.segment, latest.months, latest.snapshot_date, latest.customers, latest.came_back, latest.net_after,
    past.starts, past.least, past.most
from natural_return as latest
inner join (
    select
        segment, months, max(snapshot_date) as snapshot_date, count(*) filter (where customers >= :fewest) as starts,
        min(came_back::numeric / customers) filter (where customers >= :fewest) as least,
        max(came_back::numeric / customers) filter (where customers >= :fewest) as most
    from natural_return
    group by segment, months
) as past using (segment, months, snapshot_date)
inner join (select months, max(snapshot_date) as snapshot_date from natural_return group by months) as last_start
    using (months, snapshot_date)
order by months, segment
