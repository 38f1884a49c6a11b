-- What all customers bought in a step, doubled invoices counted once, is what the sales of all grew by between its snapshots.
-- blocking
with states as (
    select snapshot_date, sum(monetary_once) as monetary_once
    from rfm_history
    group by snapshot_date
),

steps as (
    select step, snapshot_from, snapshot_to, sum(sales_between_once) as sales_between_once
    from segment_migrations
    group by step, snapshot_from, snapshot_to
)

select
    step,
    snapshot_from,
    snapshot_to,
    sales_between_once,
    later.monetary_once - earlier.monetary_once as growth
from steps
inner join states as earlier on snapshot_from = earlier.snapshot_date
inner join states as later on snapshot_to = later.snapshot_date
where sales_between_once <> later.monetary_once - earlier.monetary_once
