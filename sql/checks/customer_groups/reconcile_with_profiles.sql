-- At the last snapshot, the groups of each country and first quarter are the customers of customer_profile, and their sales
-- are theirs, to the penny.
-- blocking
with known as (
    select
        country,
        cast(date_trunc('quarter', cohort_month) as date) as cohort_quarter,
        count(*) as customers,
        sum(sales) as sales
    from customer_profile
    group by country, cast(date_trunc('quarter', cohort_month) as date)
),

grouped as (
    select
        country,
        cohort_quarter,
        sum(customers) as customers,
        sum(monetary) as sales
    from customer_groups
    where snapshot_date = (select max(snapshot_date) from rfm_history)
    group by country, cohort_quarter
)

select
    coalesce(grouped.country, known.country) as country,
    coalesce(grouped.cohort_quarter, known.cohort_quarter) as cohort_quarter,
    grouped.customers,
    known.customers as customers_of_profiles,
    grouped.sales,
    known.sales as sales_of_profiles
from grouped
full join known on grouped.country = known.country and grouped.cohort_quarter = known.cohort_quarter
where grouped.customers is distinct from known.customers or grouped.sales is distinct from known.sales
