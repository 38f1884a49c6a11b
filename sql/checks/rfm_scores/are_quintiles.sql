-- Every customer has all three scores, each from 1 to 5, and rfm_score is made of them.
-- blocking
select customer_id, r_score, f_score, m_score, rfm_score
from rfm_scores
where
    not coalesce(r_score between 1 and 5 and f_score between 1 and 5 and m_score between 1 and 5, false)
    or rfm_score is distinct from concat(r_score, f_score, m_score)
