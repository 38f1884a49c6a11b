update rfm_scores set recency_days = 7
