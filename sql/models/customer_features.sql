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
    where moment < as_of and moment <= observed_until
    union all
    select as_of, observed_until from terms
),

days as (
    select
        customer_id,
        cast(day as timestamp) as day,
        case when sales > 0 then cast(day as timestamp) end as purchase_day,
        orders,
        sales,
        last_sale_at,
        net_revenue,
        cancelled_orders
    from customer_days
),

spaced as (
    select
        days.*,
        cast(extract(day from purchase_day - max(purchase_day) over (
            partition by customer_id order by day rows between unbounded preceding and 1 preceding
        )) as integer) as gap
    from days
),

-- What has come of a customer by the end of a day stands until the next.
accumulated as (
    select
        customer_id,
        day as stands_after,
        lead(day) over known as stands_until,
        min(purchase_day) over known as first_day,
        max(purchase_day) over known as last_day,
        max(last_sale_at) over known as last_sale_at,
        count(purchase_day) over known as purchase_days,
        cast(sum(orders) over known as bigint) as orders,
        sum(sales) over known as sales,
        sum(net_revenue) over known as net_revenue,
        cast(coalesce(sum(gap * gap) over known, 0) as bigint) as squared_gaps,
        cast(sum(cancelled_orders) over known as bigint) as cancelled_orders
    from spaced
    window known as (partition by customer_id order by day)
),

standing as (
    select moments.moment, moments.observed_until, accumulated.*
    from accumulated
    inner join moments
        on stands_after < moment and (stands_until >= moment or stands_until is null)
    where purchase_days > 0
),

-- Most customers stand as they did a month before: their gaps are looked through once.
gaps as (
    select
        stood.customer_id,
        stood.stands_after,
        spaced.gap,
        row_number() over (partition by stood.customer_id, stood.stands_after order by spaced.gap, spaced.day) as place,
        count(*) over (partition by stood.customer_id, stood.stands_after) as gaps
    from (select distinct customer_id, stands_after from standing where purchase_days > 1) as stood
    inner join spaced on stood.customer_id = spaced.customer_id and spaced.day <= stood.stands_after
    where spaced.gap is not null
),

typical as (
    select customer_id, stands_after, avg(gap) as typical_gap_days
    from gaps
    where 2 * place between gaps and gaps + 2
    group by customer_id, stands_after
),

recent as (
    select
        moment,
        customer_id,
        count(case when age <= 90 then 1 end) as purchase_days_90,
        count(case when age <= 182 then 1 end) as purchase_days_182,
        count(*) as purchase_days_365,
        sum(case when age <= 90 then sales else 0 end) as sales_90,
        sum(case when age <= 182 then sales else 0 end) as sales_182,
        sum(sales) as sales_365
    from (
        select
            moment,
            customer_id,
            sales,
            cast(extract(day from observed_until - day) as integer) as age
        from days
        inner join moments on day < moment and day >= observed_until - interval '365 days'
        where sales > 0
    ) as aged
    group by moment, customer_id
),

measured as (
    select
        standing.*,
        typical_gap_days,
        coalesce(purchase_days_90, 0) as purchase_days_90,
        coalesce(purchase_days_182, 0) as purchase_days_182,
        coalesce(purchase_days_365, 0) as purchase_days_365,
        coalesce(sales_90, 0) as sales_90,
        coalesce(sales_182, 0) as sales_182,
        coalesce(sales_365, 0) as sales_365,
        cast(extract(day from standing.moment - last_sale_at) as integer) as snapshot_recency_days
    from standing
    left join typical
        on standing.customer_id = typical.customer_id and standing.stands_after = typical.stands_after
    left join recent on standing.customer_id = recent.customer_id and standing.moment = recent.moment
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
