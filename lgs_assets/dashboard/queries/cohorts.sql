-- Retention of each cohort, month by month.
select cohort_month, months_since, invoice_month, customers, active, retention_pct, is_left_censored, is_partial
from cohort_retention
order by cohort_month, months_since
