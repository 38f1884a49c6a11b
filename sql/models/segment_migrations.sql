-- Why a customer moved is told by the segment that the second snapshot's values have on the edges of the first: if that
-- is the new one, the customer's own doing; if it is the old one, that of the others, who moved the boundary.
with snapshots as (
    select snapshot_date, row_number() over (order by snapshot_date) as place
    from (select distinct snapshot_date from rfm_history) as moments
),

steps as (
    select
        later.place - earlier.place as step,
        earlier.snapshot_date as snapshot_from,
        later.snapshot_date as snapshot_to,
        -- Of a month without invoices it is whole if the data goes on after it.
        coalesce(
            monthly_metrics.is_partial,
            later.snapshot_date > date_trunc('month', later.snapshot_date)
            or later.snapshot_date > (select max(last_invoice_at) from monthly_metrics)
        ) as is_partial
    from snapshots as earlier
    inner join snapshots as later on later.place - earlier.place in (1, 3, 12)
    left join monthly_metrics
        on monthly_metrics.invoice_month = cast(later.snapshot_date - interval '1 month' as date)
        and later.snapshot_date = date_trunc('month', later.snapshot_date)
),

-- Each R and F with its segment: customers are joined to that by equality, not compared with every rule of the map.
scores as (
    select 1 as score
    union all
    select 2
    union all
    select 3
    union all
    select 4
    union all
    select 5
),

cells as (
    select r.score as r, f.score as f, segment
    from segment_playbook
    inner join scores as r on r.score between r_min and r_max
    inner join scores as f on f.score between f_min and f_max
),

-- Higher in R or F and lower in neither is up. Segments whose ranges overlap in one are told apart by the other.
directions as (
    select
        was.segment as known_as,
        is_now.segment as segment_to,
        case
            when is_now.r_max < was.r_min and is_now.f_min <= was.f_max then 'down'
            when is_now.f_max < was.f_min and is_now.r_min <= was.r_max then 'down'
            when is_now.r_min > was.r_max and is_now.f_max >= was.f_min then 'up'
            when is_now.f_min > was.f_max and is_now.r_max >= was.r_min then 'up'
            else 'neither'
        end as direction
    from segment_playbook as was
    inner join segment_playbook as is_now on was.segment <> is_now.segment
),

edges as (
    select
        snapshot_date,
        max(case when score = 2 then recency_max end) as r2,
        max(case when score = 3 then recency_max end) as r3,
        max(case when score = 4 then recency_max end) as r4,
        max(case when score = 5 then recency_max end) as r5,
        max(case when score = 1 then frequency_max end) as f1,
        max(case when score = 2 then frequency_max end) as f2,
        max(case when score = 3 then frequency_max end) as f3,
        max(case when score = 4 then frequency_max end) as f4,
        max(case when score = 1 then frequency_max_customer_id end) as id1,
        max(case when score = 2 then frequency_max_customer_id end) as id2,
        max(case when score = 3 then frequency_max_customer_id end) as id3,
        max(case when score = 4 then frequency_max_customer_id end) as id4
    from rfm_edges
    group by snapshot_date
),

customers as (
    select
        steps.*,
        earlier.segment as known_as,
        later.segment as segment_to,
        earlier.monetary as monetary_before,
        earlier.monetary_once as monetary_once_before,
        later.monetary,
        later.monetary_once,
        later.last_invoice_at >= snapshot_from as has_bought,
        case
            when later.recency_days <= r5 then 5
            when later.recency_days <= r4 then 4
            when later.recency_days <= r3 then 3
            when later.recency_days <= r2 then 2
            else 1
        end as r_on_first_edges,
        case
            when later.frequency < f1 or later.frequency = f1 and (later.customer_id <= id1 or id1 is null) then 1
            when later.frequency < f2 or later.frequency = f2 and (later.customer_id <= id2 or id2 is null) then 2
            when later.frequency < f3 or later.frequency = f3 and (later.customer_id <= id3 or id3 is null) then 3
            when later.frequency < f4 or later.frequency = f4 and (later.customer_id <= id4 or id4 is null) then 4
            else 5
        end as f_on_first_edges
    from steps
    inner join edges on snapshot_from = edges.snapshot_date
    inner join rfm_history as later on snapshot_to = later.snapshot_date
    left join rfm_history as earlier
        on snapshot_from = earlier.snapshot_date and later.customer_id = earlier.customer_id
),

explained as (
    select
        customers.*,
        case
            when known_as is null then 'first purchase'
            when known_as = segment_to and segment = known_as then 'stayed'
            when known_as = segment_to then 'boundary offset the change'
            when segment = known_as then 'boundary'
            else concat(
                case when has_bought then 'purchase' else 'ageing' end,
                case when segment <> segment_to then ' and boundary' else '' end
            )
        end as cause
    from customers
    inner join cells on r_on_first_edges = cells.r and f_on_first_edges = cells.f
)

select
    step,
    snapshot_from,
    snapshot_to,
    coalesce(explained.known_as, '(not yet a customer)') as segment_from,
    explained.segment_to,
    direction,
    cause,
    count(*) as customers,
    coalesce(sum(monetary_before), 0) as monetary_before,
    sum(monetary) - coalesce(sum(monetary_before), 0) as sales_between,
    sum(monetary_once) - coalesce(sum(monetary_once_before), 0) as sales_between_once,
    is_partial
from explained
left join directions
    on explained.known_as = directions.known_as and explained.segment_to = directions.segment_to
group by
    step, snapshot_from, snapshot_to, explained.known_as, explained.segment_to, direction, cause, is_partial
