-- The groups of each snapshot, move between segments and pair of scores are its customers in rfm_history, and their sales,
-- then and a snapshot before, are theirs, to the penny.
-- blocking
with moments as (
    select snapshot_date, lag(snapshot_date) over (order by snapshot_date) as snapshot_before
    from (select distinct snapshot_date from rfm_history) as snapshots
),

known as (
    select
        later.snapshot_date,
        later.segment,
        coalesce(earlier.segment, '(not yet a customer)') as segment_before,
        later.r_score,
        later.f_score,
        count(*) as customers,
        sum(later.monetary) as monetary,
        sum(later.monetary_once) as monetary_once,
        coalesce(sum(earlier.monetary), 0) as monetary_before,
        coalesce(sum(earlier.monetary_once), 0) as monetary_once_before
    from moments
    inner join rfm_history as later on moments.snapshot_date = later.snapshot_date
    left join rfm_history as earlier
        on moments.snapshot_before = earlier.snapshot_date and later.customer_id = earlier.customer_id
    group by later.snapshot_date, later.segment, coalesce(earlier.segment, '(not yet a customer)'), later.r_score, later.f_score
),

grouped as (
    select
        snapshot_date,
        segment,
        segment_before,
        r_score,
        f_score,
        sum(customers) as customers,
        sum(monetary) as monetary,
        sum(monetary_once) as monetary_once,
        sum(monetary_before) as monetary_before,
        sum(monetary_once_before) as monetary_once_before
    from customer_groups
    group by snapshot_date, segment, segment_before, r_score, f_score
)

select
    coalesce(grouped.snapshot_date, known.snapshot_date) as snapshot_date,
    coalesce(grouped.segment, known.segment) as segment,
    coalesce(grouped.segment_before, known.segment_before) as segment_before,
    grouped.customers,
    known.customers as customers_of_history,
    grouped.monetary,
    known.monetary as monetary_of_history
from grouped
full join known
    on grouped.snapshot_date = known.snapshot_date
    and grouped.segment = known.segment
    and grouped.segment_before = known.segment_before
    and grouped.r_score = known.r_score
    and grouped.f_score = known.f_score
where
    grouped.customers is distinct from known.customers
    or grouped.monetary is distinct from known.monetary
    or grouped.monetary_once is distinct from known.monetary_once
    or grouped.monetary_before is distinct from known.monetary_before
    or grouped.monetary_once_before is distinct from known.monetary_once_before
