-- Each cohort is counted in full, a longer window never holds fewer second purchases, and no window ends after the
-- data does.
-- blocking
with cohorts as (
    select cohort_month, count(*) as customers
    from customer_profile
    group by cohort_month
),

compared as (
    select
        second_purchases.*,
        lag(second_purchases) over (partition by cohort_month order by window_days) as in_shorter_window
    from second_purchases
)

select compared.cohort_month, window_days, compared.customers, cohorts.customers as customers_of_cohort
from compared
left join cohorts on compared.cohort_month = cohorts.cohort_month
where
    compared.customers is distinct from cohorts.customers
    or second_purchases < in_shorter_window
    or extract(
        day from (select max(last_invoice_at) from monthly_metrics)
        - (cast(compared.cohort_month as timestamp) + interval '1 month')
    ) < window_days
