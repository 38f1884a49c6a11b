-- At each snapshot, a fifth of the customers is in each quintile, as nearly as equal values allow. Counted from the low
-- end, the first k quintiles hold the values at or below the quantile k/5 of n values: at least 1 + floor(k(n − 1)/5)
-- customers, and without those who share the highest of these values, at most k(n − 1)/5.
-- blocking
with scores as (
    select snapshot_date, 'recency' as metric, recency_days as value, 0 as tie_breaker, 6 - r_score as score
    from rfm_history
    union all
    select
        snapshot_date, 'frequency', frequency, case when :ties = 'together' then 0 else customer_id end, f_score
    from rfm_history
    union all
    select snapshot_date, 'monetary', monetary, 0, m_score from rfm_history
),

placed as (
    select
        snapshot_date,
        metric,
        score,
        rank() over (partition by snapshot_date, metric order by value, tie_breaker) as place,
        count(*) over (partition by snapshot_date, metric) - 1 as last_place
    from scores
),

boundaries as (
    select
        snapshot_date,
        metric,
        k,
        count(*) as customers,
        max(place) - 1 as below_the_highest,
        max(k * last_place / 5) + 1 as at_least,
        max(k * last_place / 5.0) as at_most
    from placed
    inner join generate_series(1, 4) as k on placed.score <= k
    group by snapshot_date, metric, k
)

select snapshot_date, metric, k as quintiles, customers, at_least, below_the_highest, at_most
from boundaries
where customers < at_least or below_the_highest > at_most
