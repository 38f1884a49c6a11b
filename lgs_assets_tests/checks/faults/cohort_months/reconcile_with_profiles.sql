update cohort_months set country = 'Nowhere' where country = (select max(country) from cohort_months)
