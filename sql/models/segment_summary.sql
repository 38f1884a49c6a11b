with placed as (
    select
        segments.*,
        count(*) over (partition by segment) as customers,
        row_number() over (partition by segment order by recency_days, customer_id) as recency_place,
        row_number() over (partition by segment order by frequency, customer_id) as frequency_place,
        row_number() over (partition by segment order by monetary, customer_id) as monetary_place
    from segments
),

summarised as (
    select
        segment,
        count(*) as customers,
        round(avg(recency_days), 6) as recency_mean,
        avg(case when 2 * recency_place between customers and customers + 2 then recency_days end) as recency_median,
        round(avg(frequency), 6) as frequency_mean,
        avg(case when 2 * frequency_place between customers and customers + 2 then frequency end) as frequency_median,
        round(avg(monetary), 6) as monetary_mean,
        avg(case when 2 * monetary_place between customers and customers + 2 then monetary end) as monetary_median,
        sum(monetary) as revenue,
        sum(net_revenue) as net_revenue
    from placed
    group by segment
),

whole as (
    select count(*) as customers, sum(monetary) as revenue
    from segments
)

select
    segment_playbook.segment,
    segment_playbook.position,
    coalesce(summarised.customers, 0) as customers,
    coalesce(round(100.0 * summarised.customers / whole.customers, 6), 0) as customers_pct,
    summarised.recency_mean,
    summarised.recency_median,
    summarised.frequency_mean,
    summarised.frequency_median,
    summarised.monetary_mean,
    summarised.monetary_median,
    coalesce(summarised.revenue, 0) as revenue,
    coalesce(round(100 * summarised.revenue / whole.revenue, 6), 0) as revenue_pct,
    coalesce(summarised.net_revenue, 0) as net_revenue,
    round(100 * summarised.net_revenue / summarised.revenue, 6) as kept_pct,
    segment_playbook.behaviour,
    segment_playbook.strategy
from segment_playbook
left join summarised on segment_playbook.segment = summarised.segment
cross join whole
