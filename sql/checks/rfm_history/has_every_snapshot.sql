-- There is a snapshot at each month end from the first sale on, and none lacks a customer of the one before.
-- blocking
with following as (
    select
        customer_id,
        snapshot_date,
        lead(snapshot_date) over (partition by customer_id order by snapshot_date) as next_snapshot,
        max(snapshot_date) over () as last_snapshot
    from rfm_history
)

select customer_id, snapshot_date, next_snapshot
from following
where
    snapshot_date < last_snapshot
    and coalesce(next_snapshot > date_trunc('month', snapshot_date) + interval '1 month', true)
