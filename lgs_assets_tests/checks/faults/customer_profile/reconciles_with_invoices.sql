update customer_profile set returns = returns - 0.01 where customer_id = 101
