-- Customers of each segment at every snapshot up to :snapshot, by the map of that time.
select history.snapshot_date, history.segment, count(*) as customers
from rfm_history as history
inner join customer_profile as profile using (customer_id)
where history.snapshot_date <= :snapshot
    and (cast(:countries as text[]) is null or profile.country = any(cast(:countries as text[])))
    and (cast(:cohorts as date[]) is null or date_trunc('quarter', profile.cohort_month) = any(cast(:cohorts as date[])))
    and (cast(:segments as text[]) is null or history.segment = any(cast(:segments as text[])))
group by history.snapshot_date, history.segment
order by history.snapshot_date
