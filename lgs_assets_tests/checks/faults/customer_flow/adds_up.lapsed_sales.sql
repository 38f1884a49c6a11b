update customer_flow set lapsed_sales = lapsed_sales - 0.01, lapsed_sales_once = lapsed_sales_once - 0.01
where lapsed_customers > 0
