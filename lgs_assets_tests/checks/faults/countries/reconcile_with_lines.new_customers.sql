update countries set new_customers = new_customers - 1 where new_customers > 0
