update customer_groups set monetary = monetary + 0.01
