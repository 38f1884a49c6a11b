-- The joins are left ones so that PostgreSQL leaves out those of which nothing is asked.
select *
from (
    select
        history.customer_id,
        profile.country,
        history.segment,
        coalesce(earlier.segment, '(not yet a customer)') as segment_before,
        history.segment_since,
        history.r_score,
        history.f_score,
        history.m_score,
        history.recency_days,
        history.frequency,
        history.monetary,
        history.monetary_once,
        coalesce(earlier.monetary, 0) as monetary_before,
        coalesce(earlier.monetary_once, 0) as monetary_once_before,
        profile.net_revenue,
        profile.typical_order,
        profile.first_sale_at,
        profile.cohort_month,
        cast(date_trunc('quarter', profile.cohort_month) as date) as cohort_quarter,
        history.last_invoice_at
    from rfm_history as history
    left join customer_profile as profile using (customer_id)
    left join rfm_history as earlier
        on earlier.customer_id = history.customer_id and earlier.snapshot_date = :snapshot_before
    where history.snapshot_date = :snapshot
) as customers
where
    {picked_cohorts}
    and {picked_groups}
    and {picked_customers}
