-- Read only where somebody asks for it: the table of predictions may not be there.
and customer_id in (select customer_id from customer_value where horizon_days = 182 and decile = :tenth)
