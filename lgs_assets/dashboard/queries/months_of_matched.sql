-- The same of the customers whom the filters pick. An invoice of a dump that holds it twice counts once as an order.
select
    invoice_month,
    count(distinct invoice_no) - 2 * count(distinct invoice_no) filter (where is_cancellation) as placed_orders,
    count(distinct invoice_no) filter (where second_copy_lines > 0) as doubled_orders,
    sum(amount) as sales,
    sum(amount - second_copy_amount) as sales_once,
    metrics.is_partial,
    metrics.last_invoice_at,
    count(distinct customer_id) as active,
    count(distinct customer_id) filter (where date_trunc('month', first_sale_at) = invoice_month) as new
from matched
inner join invoice_totals using (customer_id)
inner join monthly_metrics as metrics using (invoice_month)
where invoice_month <= :as_of
group by invoice_month, metrics.is_partial, metrics.last_invoice_at
order by invoice_month
