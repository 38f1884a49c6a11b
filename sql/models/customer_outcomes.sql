with moments as (
    select
        customer_features.as_of,
        customer_features.customer_id,
        cast(customer_features.as_of as timestamp) as moment,
        cast(prediction_terms.observed_until as timestamp) as observed_until
    from customer_features
    cross join prediction_terms
),

-- Days that are not over count in no window that is.
bought as (
    select
        moments.as_of,
        moments.customer_id,
        moments.moment,
        moments.observed_until,
        min(case when customer_days.day < moments.moment + interval '90 days' then customer_days.day end) as next_day,
        count(case when customer_days.day < moments.moment + interval '90 days' then 1 end) as purchase_days_90,
        count(case when customer_days.day < moments.moment + interval '182 days' then 1 end) as purchase_days_182,
        count(customer_days.day) as purchase_days_365,
        coalesce(sum(case when customer_days.day < moments.moment + interval '90 days' then customer_days.sales end), 0)
            as sales_90,
        coalesce(sum(case when customer_days.day < moments.moment + interval '182 days' then customer_days.sales end), 0)
            as sales_182,
        coalesce(sum(customer_days.sales), 0) as sales_365
    from moments
    left join customer_days
        on moments.customer_id = customer_days.customer_id
        and customer_days.sales > 0
        and customer_days.day >= moments.as_of
        and customer_days.day < moments.moment + interval '365 days'
    group by moments.as_of, moments.customer_id, moments.moment, moments.observed_until
)

select
    bought.as_of,
    bought.customer_id,
    case when bought.moment + interval '90 days' <= bought.observed_until then bought.purchase_days_90 > 0 end
        as bought_90,
    case when bought.moment + interval '90 days' <= bought.observed_until then bought.next_day end as next_day,
    case when bought.moment + interval '90 days' <= bought.observed_until then bought.purchase_days_90 end
        as purchase_days_90,
    case when bought.moment + interval '90 days' <= bought.observed_until then bought.sales_90 end as sales_90,
    case when bought.moment + interval '182 days' <= bought.observed_until then bought.purchase_days_182 end
        as purchase_days_182,
    case when bought.moment + interval '182 days' <= bought.observed_until then bought.sales_182 end as sales_182,
    case when bought.moment + interval '365 days' <= bought.observed_until then bought.purchase_days_365 end
        as purchase_days_365,
    case when bought.moment + interval '365 days' <= bought.observed_until then bought.sales_365 end as sales_365,
    later.segment as segment_3_months
from bought
left join customer_features as later
    on bought.customer_id = later.customer_id
    and bought.moment + interval '3 months' = cast(later.as_of as timestamp)
    and cast(later.as_of as timestamp) <= bought.observed_until
