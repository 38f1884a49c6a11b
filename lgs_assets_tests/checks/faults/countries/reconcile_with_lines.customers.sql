update countries set sale_customers = sale_customers - 1, new_customers = least(new_customers, sale_customers - 1)
