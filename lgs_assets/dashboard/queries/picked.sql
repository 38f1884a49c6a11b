-- What the filters ask of a customer at a snapshot, and of the segment a step before it.
(cast(:countries as text[]) is null or profile.country = any(cast(:countries as text[])))
and (cast(:cohorts as date[]) is null or date_trunc('quarter', profile.cohort_month) = any(cast(:cohorts as date[])))
and (cast(:segments as text[]) is null or history.segment = any(cast(:segments as text[])))
and (cast(:r_score as integer) is null or history.r_score = :r_score)
and (cast(:f_score as integer) is null or history.f_score = :f_score)
and (cast(:recency_to as integer) is null or history.recency_days <= :recency_to)
and (cast(:recency_from as integer) is null or history.recency_days >= :recency_from)
and (cast(:orders_from as integer) is null or history.frequency >= :orders_from)
and (cast(:orders_to as integer) is null or history.frequency <= :orders_to)
and (cast(:spent_from as integer) is null or history.monetary >= :spent_from)
and (cast(:spent_below as integer) is null or history.monetary < :spent_below)
and (cast(:search as integer) is null or history.customer_id = :search)
and (
    cast(:came_from as text[]) is null
    or coalesce(earlier.segment, '(not yet a customer)') = any(cast(:came_from as text[]))
)
