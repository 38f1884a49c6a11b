update cohort_months set net_sales_once = net_sales_once - 0.01
