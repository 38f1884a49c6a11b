select
    customer_id,
    snapshot_date,
    last_invoice_at,
    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,
    concat(r_score, f_score, m_score) as rfm_score
from rfm_history
where snapshot_date = (select max(snapshot_date) from rfm_history)
