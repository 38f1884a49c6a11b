-- The same of the customers whom the filters pick.
select
    invoice_month, months.placed_orders, months.doubled_orders, months.sales, months.sales_once, metrics.is_partial,
    metrics.last_invoice_at, months.active, months.new
from (
    select
        invoice_month,
        count(distinct invoice_no) - 2 * count(distinct invoice_no) filter (where is_cancellation) as placed_orders,
        count(distinct invoice_no) filter (where second_copy_lines > 0) as doubled_orders,
        sum(amount) as sales,
        sum(amount) - coalesce(sum(second_copy_amount) filter (where second_copy_lines > 0), 0) as sales_once,
        count(distinct customer_id) as active,
        count(distinct customer_id) filter (where cohort_month = invoice_month) as new
    from matched
    inner join invoice_totals using (customer_id)
    where invoice_month <= :as_of
    group by invoice_month
) as months
inner join monthly_metrics as metrics using (invoice_month)
order by invoice_month
