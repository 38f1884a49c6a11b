update rfm_history set r_score = 6 - r_score
