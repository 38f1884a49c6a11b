-- The customers and sales of each pool are those of the cohorts of whole months, to the penny, without the first cohort
-- if the pool excludes it.
-- blocking
with summed as (
    select
        months_since,
        sum(active) as active_with,
        sum(sales) as sales_with,
        sum(sales_once) as once_with,
        sum(case when not is_left_censored then active end) as active_without,
        sum(case when not is_left_censored then sales end) as sales_without,
        sum(case when not is_left_censored then sales_once end) as once_without
    from cohort_retention
    where not is_partial
    group by months_since
),

pooled as (
    select
        months_since,
        max(case when with_left_censored then active end) as active_with,
        max(case when with_left_censored then sales end) as sales_with,
        max(case when with_left_censored then sales_once end) as once_with,
        max(case when not with_left_censored then active end) as active_without,
        max(case when not with_left_censored then sales end) as sales_without,
        max(case when not with_left_censored then sales_once end) as once_without
    from cohort_retention_pooled
    group by months_since
)

select
    coalesce(pooled.months_since, summed.months_since) as months_since,
    pooled.active_with,
    summed.active_with as active_of_all_cohorts,
    pooled.active_without,
    summed.active_without as active_of_later_cohorts
from pooled
full join summed on pooled.months_since = summed.months_since
where
    pooled.active_with is distinct from summed.active_with
    or pooled.sales_with is distinct from summed.sales_with
    or pooled.once_with is distinct from summed.once_with
    or pooled.active_without is distinct from summed.active_without
    or pooled.sales_without is distinct from summed.sales_without
    or pooled.once_without is distinct from summed.once_without
