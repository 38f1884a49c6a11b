-- How many of each cohort bought a second time, in time: of windows that were over at :snapshot for all of them.
select cohort_month, window_days, customers, second_purchases, second_purchase_pct, is_left_censored
from second_purchases
where cast(cohort_month as timestamp) + interval '1 month' + window_days * interval '1 day' <= :snapshot
order by cohort_month, window_days
