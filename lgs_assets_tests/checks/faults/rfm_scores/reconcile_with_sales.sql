update rfm_scores set monetary = monetary + 0.01 where customer_id = 101
