update cohort_months set placed_orders = placed_orders + 1
