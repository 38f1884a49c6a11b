update customer_months set net_sales = net_sales + 0.01
