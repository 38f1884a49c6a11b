select
    segment, segment_before, r_score, f_score, country, spent_from, customers, monetary, monetary_once, monetary_before,
    monetary_once_before
from customer_groups
where
    snapshot_date = :snapshot
    and {picked_cohorts}
    and {picked_groups}
