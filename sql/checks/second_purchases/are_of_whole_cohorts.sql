-- Each cohort is counted in full, with those of its customers who came back in time, in every window that ended before
-- the data did, and in no other.
-- blocking
with windows as (
    select window_days
    from (values (30), (60), (90), (180)) as days (window_days)
),

wanted as (
    select
        cohort_month,
        window_days,
        count(*) as customers,
        count(
            case when second_purchase_day <= cast(first_sale_at as date) + window_days then 1 end
        ) as second_purchases
    from customer_profile
    cross join windows
    where
        cohort_month + interval '1 month' + window_days * interval '1 day'
        <= (select max(last_invoice_at) from monthly_metrics)
    group by cohort_month, window_days
)

select
    coalesce(wanted.cohort_month, found.cohort_month) as cohort_month,
    coalesce(wanted.window_days, found.window_days) as window_days,
    wanted.customers,
    found.customers as customers_found,
    wanted.second_purchases,
    found.second_purchases as second_purchases_found
from wanted
full join second_purchases as found
    on wanted.cohort_month = found.cohort_month and wanted.window_days = found.window_days
where
    wanted.customers is distinct from found.customers or wanted.second_purchases is distinct from found.second_purchases
