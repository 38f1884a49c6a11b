update customer_gain_loss set net_sales = net_sales + 0.01, change = change + 0.01
