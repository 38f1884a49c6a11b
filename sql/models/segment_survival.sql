-- Whoever is in a segment at the first snapshot may have been there before it: these stays have no known beginning, and
-- the steps to later snapshots leave them out. So does a partial month, at whose end everybody has aged too little.
with snapshots as (
    select snapshot_to as snapshot_date, row_number() over (order by snapshot_to) as place
    from (select distinct snapshot_to from segment_migrations where step = 1 and not is_partial) as moments
),

stays as (
    select
        segment,
        began.place as began,
        reached.place as reached,
        count(*) as customers
    from rfm_history
    inner join snapshots as began on segment_since = began.snapshot_date
    inner join snapshots as reached on rfm_history.snapshot_date = reached.snapshot_date
    group by segment, began.place, reached.place
),

entries as (
    select segment, began, customers
    from stays
    where began = reached
)

select
    entries.segment,
    place - entries.began as months,
    cast(sum(entries.customers) as bigint) as entries,
    cast(sum(coalesce(stays.customers, 0)) as bigint) as remaining,
    round(100.0 * sum(coalesce(stays.customers, 0)) / sum(entries.customers), 6) as survival_pct
from entries
inner join snapshots on place >= entries.began
left join stays
    on entries.segment = stays.segment and entries.began = stays.began and place = stays.reached
group by entries.segment, place - entries.began
