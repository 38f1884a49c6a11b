delete from customer_days where customer_id = 101
