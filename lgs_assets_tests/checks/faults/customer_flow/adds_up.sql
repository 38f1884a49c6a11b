update customer_flow set lapsed_customers = lapsed_customers + 1
