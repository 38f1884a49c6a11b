-- Customers of each segment at every snapshot, whom the filters would have picked then.
select history.snapshot_date, history.segment, count(*) as customers
from unnest(cast(:moments as timestamp[]), cast(:befores as timestamp[])) as moments (snapshot_date, snapshot_before)
inner join rfm_history as history using (snapshot_date)
inner join customer_profile as profile using (customer_id)
where {picked}
    and (
        cast(:came_from as text[]) is null
        or coalesce(
            (
                select earlier.segment
                from rfm_history as earlier
                where earlier.customer_id = history.customer_id and earlier.snapshot_date = moments.snapshot_before
            ),
            '(not yet a customer)'
        ) = any(cast(:came_from as text[]))
    )
group by history.snapshot_date, history.segment
order by history.snapshot_date
