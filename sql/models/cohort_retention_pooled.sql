select
    with_left_censored,
    months_since,
    count(*) as cohorts,
    sum(customers) as customers,
    sum(active) as active,
    sum(base_sales) as base_sales,
    sum(base_sales_once) as base_sales_once,
    sum(sales) as sales,
    sum(sales_once) as sales_once,
    round(100.0 * sum(active) / sum(customers), 6) as retention_pct,
    round(100 * sum(sales) / sum(base_sales), 6) as revenue_retention_pct,
    round(100 * sum(sales_once) / sum(base_sales_once), 6) as revenue_retention_once_pct
from cohort_retention
cross join (select false as with_left_censored union all select true) as pools
where not is_partial and (with_left_censored or not is_left_censored)
group by with_left_censored, months_since
