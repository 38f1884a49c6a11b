with invoices as (
    select
        customer_id,
        invoice_no,
        is_cancellation,
        invoice_day as day,
        sum(sale_amount) as sales,
        max(last_sale_at) as last_sale_at,
        sum(amount) as net_revenue
    from invoice_totals
    where customer_id is not null
    group by customer_id, invoice_no, is_cancellation, invoice_day
),

placed as (
    select
        invoices.*,
        sum(case when sales > 0 then 1 else 0 end) over (
            partition by customer_id, invoice_no order by day rows between unbounded preceding and current row
        ) as days_of_invoice
    from invoices
)

select
    customer_id,
    day,
    count(case when sales > 0 and days_of_invoice = 1 then 1 end) as orders,
    sum(sales) as sales,
    max(last_sale_at) as last_sale_at,
    sum(net_revenue) as net_revenue,
    count(case when is_cancellation then 1 end) as cancelled_orders
from placed
group by customer_id, day
