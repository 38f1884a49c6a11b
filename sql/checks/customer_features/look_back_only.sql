-- At each month end from features_from on that was observed, and at the moment of predictions, purchase days and sales are
-- those strictly before it: no more, and no fewer.
-- blocking
with moments as (
    select cast(month_end as date) as as_of
    from prediction_terms
    cross join lateral generate_series(
        cast(features_from as timestamp), cast(least(as_of, observed_until) as timestamp), interval '1 month'
    ) as month_ends (month_end)
    where unavailable_because is null
    union
    select as_of from prediction_terms where unavailable_because is null
),

before as (
    select moments.as_of, count(*) as purchase_days, sum(customer_days.sales) as sales
    from moments
    inner join customer_days on day < moments.as_of and customer_days.sales > 0
    group by moments.as_of
),

summed as (
    select as_of, sum(purchase_days) as purchase_days, sum(sales) as sales
    from customer_features
    group by as_of
)

select
    coalesce(summed.as_of, before.as_of) as as_of,
    summed.purchase_days,
    summed.sales,
    before.purchase_days as days_before,
    before.sales as sales_before
from summed
full join before on summed.as_of = before.as_of
where summed.purchase_days is distinct from before.purchase_days or summed.sales is distinct from before.sales
