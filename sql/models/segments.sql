-- A customer whose cell is not on the map keeps a NULL segment, which the contract refuses: nobody is lost in silence.
select
    rfm_scores.customer_id,
    segment_playbook.segment,
    rfm_scores.recency_days,
    rfm_scores.frequency,
    rfm_scores.monetary,
    rfm_scores.rfm_score,
    segment_playbook.behaviour,
    segment_playbook.strategy
from rfm_scores
left join segment_playbook
    on rfm_scores.r_score between segment_playbook.r_min and segment_playbook.r_max
    and rfm_scores.f_score between segment_playbook.f_min and segment_playbook.f_max
