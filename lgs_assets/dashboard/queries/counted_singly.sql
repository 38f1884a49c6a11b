select
    segment, segment_before, r_score, f_score, country, monetary as spent_from, 1 as customers, monetary, monetary_once,
    monetary_before, monetary_once_before
from matched
