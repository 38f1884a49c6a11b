delete from cohort_retention where months_since = 1
