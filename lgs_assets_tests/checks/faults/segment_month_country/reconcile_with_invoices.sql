update segment_month_country set orders = orders + 1
