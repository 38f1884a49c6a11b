select
    customer_id,
    invoice_month,
    count(distinct invoice_no)
    - 2 * count(distinct case when is_cancellation then invoice_no end) as placed_orders,
    count(distinct case when second_copy_lines > 0 then invoice_no end) as doubled_orders,
    sum(amount) as net_sales,
    sum(amount - second_copy_amount) as net_sales_once
from invoice_totals
where customer_id is not null
group by customer_id, invoice_month
