-- In the steps to the last snapshot, each cause has the customers whose own values would have moved them, or not: the
-- segment that these have on the edges of the first snapshot, edge by edge, says which; with their sales, to the penny.
-- error
with customers as (
    select
        step,
        steps.snapshot_from,
        steps.snapshot_to,
        later.customer_id,
        later.segment as segment_to,
        earlier.segment as segment_from,
        later.recency_days,
        later.frequency,
        later.last_invoice_at >= steps.snapshot_from as has_bought,
        coalesce(earlier.monetary, 0) as monetary_before,
        later.monetary - coalesce(earlier.monetary, 0) as sales_between,
        later.monetary_once - coalesce(earlier.monetary_once, 0) as sales_between_once
    from (select distinct step, snapshot_from, snapshot_to from segment_migrations) as steps
    inner join rfm_history as later on steps.snapshot_to = later.snapshot_date
    left join rfm_history as earlier
        on steps.snapshot_from = earlier.snapshot_date and later.customer_id = earlier.customer_id
    where steps.snapshot_to = (select max(snapshot_date) from rfm_history)
),

scored as (
    select
        step,
        customers.customer_id,
        coalesce(max(case when recency_days <= recency_max then score end), 1) as r,
        coalesce(
            min(
                case
                    when frequency < frequency_max then score
                    when frequency = frequency_max and coalesce(customer_id <= frequency_max_customer_id, true) then score
                end
            ),
            5
        ) as f
    from customers
    inner join rfm_edges on snapshot_from = rfm_edges.snapshot_date
    group by step, customers.customer_id
),

explained as (
    select
        customers.*,
        case
            when segment_from is null then 'first purchase'
            when segment_from = segment_to then
                case when own.segment = segment_from then 'stayed' else 'boundary offset the change' end
            when own.segment = segment_from then 'boundary'
            when own.segment = segment_to and has_bought then 'purchase'
            when own.segment = segment_to then 'ageing'
            when has_bought then 'purchase and boundary'
            else 'ageing and boundary'
        end as cause
    from customers
    inner join scored on customers.step = scored.step and customers.customer_id = scored.customer_id
    inner join segment_playbook as own on r between own.r_min and own.r_max and f between own.f_min and own.f_max
),

wanted as (
    select
        step,
        snapshot_to,
        coalesce(segment_from, '(not yet a customer)') as segment_from,
        segment_to,
        cause,
        count(*) as customers,
        sum(monetary_before) as monetary_before,
        sum(sales_between) as sales_between,
        sum(sales_between_once) as sales_between_once
    from explained
    group by step, snapshot_to, segment_from, segment_to, cause
),

told as (
    select *
    from segment_migrations
    where snapshot_to = (select max(snapshot_date) from rfm_history)
)

select
    step,
    segment_from,
    segment_to,
    cause,
    told.customers,
    wanted.customers as customers_by_edges,
    told.monetary_before,
    wanted.monetary_before as monetary_before_by_edges,
    told.sales_between,
    wanted.sales_between as sales_between_by_edges,
    told.sales_between_once,
    wanted.sales_between_once as sales_between_once_by_edges
from told
full join wanted using (step, snapshot_to, segment_from, segment_to, cause)
where
    told.customers is distinct from wanted.customers
    or told.monetary_before is distinct from wanted.monetary_before
    or told.sales_between is distinct from wanted.sales_between
    or told.sales_between_once is distinct from wanted.sales_between_once
