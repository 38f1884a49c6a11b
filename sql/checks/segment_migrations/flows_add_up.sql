-- Every customer of a snapshot came from somewhere and went somewhere: in each step, the customers from a segment are
-- all who were in it at the first snapshot, those to a segment are all who are in it at the second, with their sales.
-- The steps lead from each snapshot to the next, the third and the twelfth after it.
-- blocking
with moved as (
    select
        step,
        snapshot_from as snapshot_date,
        segment_from as segment,
        'left' as direction,
        customers,
        monetary_before as monetary
    from segment_migrations
    where cause <> 'first purchase'
    union all
    select step, snapshot_to, segment_to, 'reached', customers, monetary_before + sales_between
    from segment_migrations
),

flows as (
    select step, snapshot_date, segment, direction, sum(customers) as customers, sum(monetary) as monetary
    from moved
    group by step, snapshot_date, segment, direction
),

snapshots as (
    select snapshot_date, row_number() over (order by snapshot_date) as place
    from (select distinct snapshot_date from rfm_history) as moments
),

steps as (
    select later.place - earlier.place as step, earlier.snapshot_date as snapshot_from, later.snapshot_date as snapshot_to
    from snapshots as earlier
    inner join snapshots as later on later.place - earlier.place in (1, 3, 12)
),

ends as (
    select step, snapshot_from as snapshot_date, 'left' as direction
    from steps
    union all
    select step, snapshot_to, 'reached'
    from steps
),

states as (
    select snapshot_date, segment, count(*) as customers, sum(monetary) as monetary
    from rfm_history
    group by snapshot_date, segment
),

wanted as (
    select ends.*, states.segment, states.customers, states.monetary
    from ends
    inner join states on ends.snapshot_date = states.snapshot_date
)

select
    coalesce(wanted.step, flows.step) as step,
    coalesce(wanted.snapshot_date, flows.snapshot_date) as snapshot_date,
    coalesce(wanted.segment, flows.segment) as segment,
    coalesce(wanted.direction, flows.direction) as direction,
    wanted.customers,
    flows.customers as customers_that_moved,
    wanted.monetary,
    flows.monetary as monetary_that_moved
from wanted
full join flows
    on wanted.step = flows.step
    and wanted.snapshot_date = flows.snapshot_date
    and wanted.segment = flows.segment
    and wanted.direction = flows.direction
where wanted.customers is distinct from flows.customers or wanted.monetary is distinct from flows.monetary
