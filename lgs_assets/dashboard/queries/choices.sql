-- What the filters offer, and the map of segments. One row.
select
    (
        select json_agg(json_build_object(
            'month', invoice_month, 'last_invoice_at', last_invoice_at, 'is_partial', is_partial,
            'doubled', doubled_orders, 'sales', sales::text, 'sales_once', sales_once::text
        ) order by invoice_month)
        from monthly_metrics
    ) as months,
    (select json_agg(distinct snapshot_date) from rfm_edges) as snapshots,
    (select json_agg(country order by country) from (select distinct country from customer_profile) as countries)
        as countries,
    (select json_agg(distinct cohort_month) from customer_profile) as cohort_months,
    (select json_agg(segment_playbook order by position) from segment_playbook) as segments
