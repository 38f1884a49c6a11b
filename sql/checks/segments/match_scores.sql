-- Every scored customer has exactly one segment, that of the scores' cell, and the values of the scores.
-- blocking
select
    coalesce(rfm_scores.customer_id, segments.customer_id) as customer_id,
    rfm_scores.rfm_score,
    segments.segment,
    rfm_scores.monetary,
    segments.monetary as monetary_in_segments
from rfm_scores
full join segments on rfm_scores.customer_id = segments.customer_id
left join segment_playbook on segments.segment = segment_playbook.segment
where
    segments.monetary is distinct from rfm_scores.monetary
    or not coalesce(
        rfm_scores.r_score between segment_playbook.r_min and segment_playbook.r_max
        and rfm_scores.f_score between segment_playbook.f_min and segment_playbook.f_max,
        false
    )
