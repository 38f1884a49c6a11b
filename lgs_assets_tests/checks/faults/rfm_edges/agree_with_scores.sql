update rfm_edges set recency_max = recency_min, recency_min = 0 where recency_max > recency_min
