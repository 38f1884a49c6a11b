-- Customers of each segment at every snapshot, whom the filters would have picked then.
select snapshot_date, segment, count(*) as customers
from (
    select
        history.*, profile.country, cast(date_trunc('quarter', profile.cohort_month) as date) as cohort_quarter,
        coalesce(earlier.segment, '(not yet a customer)') as segment_before
    from unnest(cast(:moments as timestamp[]), cast(:befores as timestamp[])) as moments (snapshot_date, snapshot_before)
    inner join rfm_history as history using (snapshot_date)
    left join customer_profile as profile using (customer_id)
    left join rfm_history as earlier
        on earlier.customer_id = history.customer_id and earlier.snapshot_date = moments.snapshot_before
) as customers
where
    {picked_cohorts}
    and {picked_groups}
    and {picked_customers}
group by snapshot_date, segment
order by snapshot_date
