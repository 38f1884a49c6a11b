update cohort_retention_pooled set sales = sales + 0.01 where months_since = 1
