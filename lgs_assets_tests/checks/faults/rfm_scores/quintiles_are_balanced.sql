update rfm_scores set r_score = 6 - r_score
