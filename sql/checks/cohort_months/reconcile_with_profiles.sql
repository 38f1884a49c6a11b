-- Over all months, the net sales of each country and cohort are the net revenue of its customers, to the penny.
-- error
with known as (
    select country, cohort_month, sum(net_revenue) as net_revenue
    from customer_profile
    group by country, cohort_month
),

added as (
    select country, cohort_month, sum(net_sales) as net_sales
    from cohort_months
    group by country, cohort_month
)

select
    coalesce(added.country, known.country) as country,
    coalesce(added.cohort_month, known.cohort_month) as cohort_month,
    added.net_sales,
    known.net_revenue
from added
full join known on added.country = known.country and added.cohort_month = known.cohort_month
where added.net_sales is distinct from known.net_revenue
