-- The customers differ in recency. If all have the same, R follows their order and the segments mean nothing: look for
-- a dump whose dates are all alike, or a mistaken snapshot date.
-- blocking
select min(recency_days) as recency_days, count(*) as customers
from rfm_scores
having count(*) > 1 and count(distinct recency_days) = 1
