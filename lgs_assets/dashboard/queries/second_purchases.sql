-- How many of each cohort bought a second time, in time.
select cohort_month, window_days, customers, second_purchases, second_purchase_pct, is_left_censored
from second_purchases
order by cohort_month, window_days
