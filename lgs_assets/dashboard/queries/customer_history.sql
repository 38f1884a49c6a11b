-- One customer's segment and scores at each snapshot.
select snapshot_date, segment, recency_days, frequency, monetary, r_score, f_score, m_score, segment_since
from rfm_history
where customer_id = :customer_id
order by snapshot_date
