-- The least that was spent, in bands, tells those worth a letter of their own from the others.
with customers as (
    select
        rfm_history.snapshot_date,
        customer_profile.country,
        cast(date_trunc('quarter', customer_profile.cohort_month) as date) as cohort_quarter,
        rfm_history.segment,
        coalesce(rfm_history.previous_segment, '(not yet a customer)') as segment_before,
        rfm_history.r_score,
        rfm_history.f_score,
        case
            when rfm_history.monetary >= 10000 then 10000
            when rfm_history.monetary >= 5000 then 5000
            when rfm_history.monetary >= 2500 then 2500
            when rfm_history.monetary >= 1000 then 1000
            when rfm_history.monetary >= 500 then 500
            when rfm_history.monetary >= 250 then 250
            when rfm_history.monetary >= 100 then 100
            else 0
        end as spent_from,
        rfm_history.monetary,
        rfm_history.monetary_once,
        lag(rfm_history.monetary) over snapshots as monetary_before,
        lag(rfm_history.monetary_once) over snapshots as monetary_once_before
    from rfm_history
    inner join customer_profile on rfm_history.customer_id = customer_profile.customer_id
    window snapshots as (partition by rfm_history.customer_id order by rfm_history.snapshot_date)
)

select
    snapshot_date,
    country,
    cohort_quarter,
    segment,
    segment_before,
    r_score,
    f_score,
    spent_from,
    count(*) as customers,
    sum(monetary) as monetary,
    sum(monetary_once) as monetary_once,
    coalesce(sum(monetary_before), 0) as monetary_before,
    coalesce(sum(monetary_once_before), 0) as monetary_once_before
from customers
group by snapshot_date, country, cohort_quarter, segment, segment_before, r_score, f_score, spent_from
-- Each snapshot lies together, as it is read.
order by snapshot_date, country, cohort_quarter, segment, segment_before, r_score, f_score, spent_from
