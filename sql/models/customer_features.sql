-- Days after the last line were not observed: clocks stop at observed_until.
with terms as (
    select
        cast(features_from as timestamp) as features_from,
        cast(observed_until as timestamp) as observed_until,
        cast(as_of as timestamp) as as_of
    from prediction_terms
    where unavailable_because is null
),

moments as (
    select moment, least(moment, observed_until) as observed_until
    from terms
    cross join lateral generate_series(features_from, as_of, interval '1 month') as months (moment)
    where moment < as_of
    union all
    select as_of, observed_until from terms
),

purchases as (
    select
        customer_id,
        cast(day as timestamp) as day,
        orders,
        sales,
        last_sale_at,
        net_revenue,
        cancelled_orders,
        max(case when sales > 0 then cast(day as timestamp) end) over (
            partition by customer_id order by day rows between unbounded preceding and 1 preceding
        ) as day_before
    from customer_days
),

spaced as (
    select
        purchases.*,
        case when sales > 0 then cast(extract(day from day - day_before) as integer) end as gap
    from purchases
),

known as (
    select
        moments.moment,
        moments.observed_until,
        spaced.*,
        cast(extract(day from moments.observed_until - spaced.day) as integer) as age,
        row_number() over (
            partition by moments.moment, spaced.customer_id order by coalesce(spaced.gap, 0), spaced.day
        ) as place,
        count(spaced.gap) over (partition by moments.moment, spaced.customer_id) as gaps,
        count(*) over (partition by moments.moment, spaced.customer_id) as days,
        count(case when spaced.sales > 0 then 1 end) over (
            partition by moments.moment, spaced.customer_id
        ) as purchase_days
    from spaced
    inner join moments on spaced.day < moments.moment
),

summed as (
    select
        moment,
        observed_until,
        customer_id,
        min(case when sales > 0 then day end) as first_day,
        max(case when sales > 0 then day end) as last_day,
        max(last_sale_at) as last_sale_at,
        count(case when sales > 0 then 1 end) as purchase_days,
        cast(sum(orders) as bigint) as orders,
        sum(sales) as sales,
        sum(net_revenue) as net_revenue,
        -- Days without a gap come first in place: they are no gaps of 0 days.
        avg(case when gaps > 0 and 2 * (place - days + gaps) between gaps and gaps + 2 then gap end) as typical_gap_days,
        cast(coalesce(sum(gap * gap), 0) as bigint) as squared_gaps,
        count(case when sales > 0 and age <= 90 then 1 end) as purchase_days_90,
        count(case when sales > 0 and age <= 182 then 1 end) as purchase_days_182,
        count(case when sales > 0 and age <= 365 then 1 end) as purchase_days_365,
        sum(case when age <= 90 then sales else 0 end) as sales_90,
        sum(case when age <= 182 then sales else 0 end) as sales_182,
        sum(case when age <= 365 then sales else 0 end) as sales_365,
        cast(sum(cancelled_orders) as bigint) as cancelled_orders
    from known
    where purchase_days > 0
    group by moment, observed_until, customer_id
),

measured as (
    select
        summed.*,
        cast(extract(day from moment - last_sale_at) as integer) as snapshot_recency_days
    from summed
),

-- The rule of rfm_history, at each of these moments.
scored as (
    select
        measured.*,
        6 - cast(greatest(1, ceil(5 * percent_rank() over (
            partition by moment order by snapshot_recency_days
        ))) as smallint) as r_score,
        cast(greatest(1, ceil(5 * percent_rank() over (
            partition by moment order by orders, case when :ties = 'together' then 0 else customer_id end
        ))) as smallint) as f_score
    from measured
)

select
    cast(moment as date) as as_of,
    customer_id,
    cast(observed_until as date) as observed_until,
    cast(first_day as date) as first_day,
    cast(last_day as date) as last_day,
    purchase_days,
    orders,
    sales,
    net_revenue,
    cast(extract(day from observed_until - last_day) as integer) as recency_days,
    cast(extract(day from observed_until - first_day) as integer) as tenure_days,
    typical_gap_days,
    squared_gaps,
    purchase_days_90,
    purchase_days_182,
    purchase_days_365,
    sales_90,
    sales_182,
    sales_365,
    cancelled_orders,
    snapshot_recency_days,
    r_score,
    f_score,
    segment
from scored
left join segment_playbook on r_score between r_min and r_max and f_score between f_min and f_max
