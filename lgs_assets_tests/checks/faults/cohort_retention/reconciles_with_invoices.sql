update cohort_retention set sales = sales + 0.01 where months_since = 1
