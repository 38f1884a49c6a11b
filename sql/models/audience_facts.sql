-- A customer with a segment and no profile would keep a NULL country, which the contract refuses.
select
    segments.customer_id,
    rfm_scores.snapshot_date,
    segments.segment,
    segments.rfm_score,
    rfm_scores.r_score,
    rfm_scores.f_score,
    rfm_scores.m_score,
    segments.recency_days,
    segments.frequency,
    segments.monetary,
    segments.net_revenue,
    segments.kept_pct,
    customer_profile.country,
    customer_profile.first_sale_at,
    rfm_scores.last_invoice_at,
    customer_profile.purchase_days,
    customer_profile.typical_order,
    customer_profile.typical_gap_days,
    round(segments.recency_days / customer_profile.typical_gap_days, 6) as gaps_missed,
    customer_value.sales as value,
    churn_risk.band as risk_band,
    churn_risk.expected_next_day
from segments
inner join rfm_scores on segments.customer_id = rfm_scores.customer_id
left join customer_profile on segments.customer_id = customer_profile.customer_id
left join customer_value on segments.customer_id = customer_value.customer_id and customer_value.horizon_days = 182
left join churn_risk on segments.customer_id = churn_risk.customer_id
