-- The change of each movement is right.
update customer_gain_loss set net_sales = net_sales + 0.01, net_sales_before = net_sales_before + 0.01
