-- The same of the customers whom the filters pick.
select
    invoice_month, months.placed_orders, months.doubled_orders, months.sales, months.sales_once, metrics.is_partial,
    metrics.last_invoice_at, months.active, months.new
from (
    select
        invoice_month,
        cast(sum(placed_orders) as bigint) as placed_orders,
        cast(sum(doubled_orders) as bigint) as doubled_orders,
        sum(customer_months.net_sales) as sales,
        sum(customer_months.net_sales_once) as sales_once,
        count(*) as active,
        count(*) filter (where cohort_month = invoice_month) as new
    from matched
    inner join customer_months using (customer_id)
    where invoice_month <= :as_of
    group by invoice_month
) as months
inner join monthly_metrics as metrics using (invoice_month)
order by invoice_month
