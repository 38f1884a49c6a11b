-- Every customer of a snapshot is within the edges of both scores, all of them are counted, and a better score begins
-- where the next one ends.
-- blocking
with checked as (
    select
        rfm_edges.*,
        max(case when r_customers > 0 then recency_max end) over (
            partition by snapshot_date order by score desc rows between unbounded preceding and 1 preceding
        ) as recency_of_better,
        max(case when f_customers > 0 then frequency_max end) over (
            partition by snapshot_date order by score rows between unbounded preceding and 1 preceding
        ) as frequency_of_worse
    from rfm_edges
),

customers as (
    select
        rfm_history.snapshot_date,
        count(case when recency_days between recency_edges.recency_min and recency_edges.recency_max then 1 end)
        as within_recency,
        count(case when frequency between frequency_edges.frequency_min and frequency_edges.frequency_max then 1 end)
        as within_frequency,
        count(*) as customers
    from rfm_history
    left join rfm_edges as recency_edges
        on rfm_history.snapshot_date = recency_edges.snapshot_date and r_score = recency_edges.score
    left join rfm_edges as frequency_edges
        on rfm_history.snapshot_date = frequency_edges.snapshot_date and f_score = frequency_edges.score
    group by rfm_history.snapshot_date
),

counted as (
    select snapshot_date, sum(r_customers) as r_customers, sum(f_customers) as f_customers
    from rfm_edges
    group by snapshot_date
)

select customers.snapshot_date, 'customers' as fault, within_recency, within_frequency, customers
from customers
left join counted on customers.snapshot_date = counted.snapshot_date
where
    within_recency < customers
    or within_frequency < customers
    or r_customers is distinct from customers
    or f_customers is distinct from customers
union all
select snapshot_date, 'edges of ' || score, recency_min, frequency_min, score
from checked
where recency_min <= recency_of_better or frequency_min < frequency_of_worse
