update rfm_scores set rfm_score = '555' where customer_id = 101
