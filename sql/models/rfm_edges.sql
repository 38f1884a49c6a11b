with recency as (
    select
        snapshot_date,
        r_score as score,
        min(recency_days) as recency_min,
        max(recency_days) as recency_max,
        count(*) as r_customers
    from rfm_history
    group by snapshot_date, r_score
),

compared as (
    select
        snapshot_date,
        f_score as score,
        frequency,
        max(frequency) over (partition by snapshot_date, f_score) as frequency_max,
        case when :ties = 'together' then null else customer_id end as tie_breaker
    from rfm_history
),

frequency as (
    select
        snapshot_date,
        score,
        min(frequency) as frequency_min,
        max(frequency) as frequency_max,
        max(case when frequency = frequency_max then tie_breaker end) as frequency_max_customer_id,
        count(*) as f_customers
    from compared
    group by snapshot_date, score
)

select
    coalesce(recency.snapshot_date, frequency.snapshot_date) as snapshot_date,
    coalesce(recency.score, frequency.score) as score,
    recency_min,
    recency_max,
    coalesce(r_customers, 0) as r_customers,
    frequency_min,
    frequency_max,
    frequency_max_customer_id,
    coalesce(f_customers, 0) as f_customers
from recency
full join frequency on recency.snapshot_date = frequency.snapshot_date and recency.score = frequency.score
