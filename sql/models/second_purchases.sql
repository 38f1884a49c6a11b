with windows as (
    select 30 as window_days
    union all
    select 60
    union all
    select 90
    union all
    select 180
),

-- How many days each cohort has been observed in full, from the end of its month to the day on which the data ends.
observed as (
    select
        cohort_month,
        is_first_seen,
        cast(extract(
            day from
            date_trunc('day', (select max(last_invoice_at) from monthly_metrics))
            - (cast(cohort_month as timestamp) + interval '1 month')
        ) as integer) as days_observed,
        cast(extract(
            day from cast(second_purchase_day as timestamp) - date_trunc('day', first_sale_at)
        ) as integer) as days_to_second
    from customer_profile
)

select
    cohort_month,
    window_days,
    count(*) as customers,
    count(case when days_to_second <= window_days then 1 end) as second_purchases,
    round(100.0 * count(case when days_to_second <= window_days then 1 end) / count(*), 6) as second_purchase_pct,
    is_first_seen as is_left_censored
from observed
inner join windows on days_observed >= window_days
group by cohort_month, window_days, is_first_seen
