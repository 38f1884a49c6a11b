-- Customers of each segment at every snapshot, whom the filters would have picked then.
select history.snapshot_date, history.segment, count(*) as customers
from unnest(cast(:moments as timestamp[]), cast(:befores as timestamp[])) as moments (snapshot_date, snapshot_before)
inner join rfm_history as history using (snapshot_date)
-- A join for nothing would take as long as all else.
left join customer_profile as profile
    on (cast(:countries as text[]) is not null or cast(:cohorts as date[]) is not null)
    and profile.customer_id = history.customer_id
left join rfm_history as earlier
    on cast(:came_from as text[]) is not null
    and earlier.customer_id = history.customer_id
    and earlier.snapshot_date = moments.snapshot_before
where {picked}
group by history.snapshot_date, history.segment
order by history.snapshot_date
