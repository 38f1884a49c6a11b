select
    history.customer_id,
    profile.country,
    history.segment,
    coalesce(earlier.segment, '(not yet a customer)') as segment_before,
    history.segment_since,
    history.r_score,
    history.f_score,
    history.m_score,
    history.recency_days,
    history.frequency,
    history.monetary,
    coalesce(earlier.monetary, 0) as monetary_before,
    profile.net_revenue,
    profile.typical_order,
    profile.first_sale_at,
    profile.cohort_month,
    history.last_invoice_at
from rfm_history as history
inner join customer_profile as profile using (customer_id)
left join rfm_history as earlier
    on earlier.customer_id = history.customer_id and earlier.snapshot_date = :snapshot_before
where history.snapshot_date = :snapshot
    and (cast(:countries as text[]) is null or profile.country = any(cast(:countries as text[])))
    and (cast(:cohorts as date[]) is null or date_trunc('quarter', profile.cohort_month) = any(cast(:cohorts as date[])))
    and (cast(:segments as text[]) is null or history.segment = any(cast(:segments as text[])))
    and (
        cast(:came_from as text[]) is null
        or coalesce(earlier.segment, '(not yet a customer)') = any(cast(:came_from as text[]))
    )
    and (cast(:r_score as integer) is null or history.r_score = :r_score)
    and (cast(:f_score as integer) is null or history.f_score = :f_score)
    and (cast(:recency_to as integer) is null or history.recency_days <= :recency_to)
    and (cast(:recency_from as integer) is null or history.recency_days >= :recency_from)
    and (cast(:orders_from as integer) is null or history.frequency >= :orders_from)
    and (cast(:spent_from as integer) is null or history.monetary >= :spent_from)
    and (cast(:search as integer) is null or history.customer_id = :search)
