-- They add up all the same.
update sales_drivers set price_effect = price_effect + 1, orders_effect = orders_effect - 1
