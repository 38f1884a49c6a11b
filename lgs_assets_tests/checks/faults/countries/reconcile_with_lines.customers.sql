update countries set sale_customers = sale_customers - 1
