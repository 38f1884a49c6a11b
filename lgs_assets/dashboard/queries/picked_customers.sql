-- What they ask of each customer besides.
(cast(:recency_to as integer) is null or recency_days <= :recency_to)
and (cast(:recency_from as integer) is null or recency_days >= :recency_from)
and (cast(:orders_from as integer) is null or frequency >= :orders_from)
and (cast(:orders_to as integer) is null or frequency <= :orders_to)
and (cast(:spent_from as integer) is null or monetary >= :spent_from)
and (cast(:spent_below as integer) is null or monetary < :spent_below)
and (cast(:search as integer) is null or customer_id = :search)
