update customer_profile set net_revenue = net_revenue - 0.01 where customer_id = 101
