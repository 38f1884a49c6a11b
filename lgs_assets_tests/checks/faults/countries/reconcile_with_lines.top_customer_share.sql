update countries set top_customer_share = 1
