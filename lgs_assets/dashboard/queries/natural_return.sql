-- What the customers of each segment did next, at the latest start from which the data covers six months, and between
-- what and what their share moved at all starts.
select
    latest.segment, latest.months, latest.snapshot_date, latest.customers, latest.came_back, latest.net_after_once,
    past.starts, past.least, past.most
from natural_return as latest
inner join (
    select
        segment, months, count(*) as starts, min(came_back::numeric / customers) as least,
        max(came_back::numeric / customers) as most
    from natural_return
    where customers >= :fewest
    group by segment, months
    union all
    select segment, months, 0, null, null
    from natural_return
    group by segment, months
    having max(customers) < :fewest
) as past using (segment, months)
where latest.snapshot_date = (select max(snapshot_date) from natural_return where months = 6)
