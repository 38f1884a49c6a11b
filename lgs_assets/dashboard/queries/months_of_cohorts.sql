-- The same where the filters pick whole cohorts of countries: of their customers who had bought by the snapshot.
select
    invoice_month, months.placed_orders, months.doubled_orders, months.sales, months.sales_once, metrics.is_partial,
    metrics.last_invoice_at, months.active, months.new
from (
    select
        invoice_month,
        cast(sum(placed_orders) as bigint) as placed_orders,
        cast(sum(doubled_orders) as bigint) as doubled_orders,
        sum(net_sales) as sales,
        sum(net_sales_once) as sales_once,
        cast(sum(active_customers) as bigint) as active,
        cast(coalesce(sum(active_customers) filter (where cohort_month = invoice_month), 0) as bigint) as new
    from (
        select *, cast(date_trunc('quarter', cohort_month) as date) as cohort_quarter
        from cohort_months
        where invoice_month <= :as_of and cohort_month < :snapshot
    ) as cohorts
    where {picked_cohorts}
    group by invoice_month
) as months
inner join monthly_metrics as metrics using (invoice_month)
order by invoice_month
