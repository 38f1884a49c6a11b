update audience_facts set monetary = monetary + 0.01 where customer_id = 101
