-- The retention of all cohorts together, but for the first month of the data.
select months_since, cohorts, customers, active, retention_pct, revenue_retention_pct
from cohort_retention_pooled
where not with_left_censored
order by months_since
