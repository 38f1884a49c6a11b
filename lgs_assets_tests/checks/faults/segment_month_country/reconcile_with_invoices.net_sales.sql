update segment_month_country set net_sales = net_sales + 0.01
