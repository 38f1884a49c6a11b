update customer_groups set country = 'Nowhere' where country = (select max(country) from customer_groups)
