with invoices as (
    select
        customer_id,
        invoice_no,
        is_cancellation,
        date_trunc('day', invoice_date) as day,
        sum(case when is_sale then line_total else 0 end) as sales,
        max(case when is_sale then invoice_date end) as last_sale_at,
        sum(line_total) as net_revenue
    from clean_invoices
    where customer_id is not null
    group by customer_id, invoice_no, is_cancellation, date_trunc('day', invoice_date)
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
    cast(day as date) as day,
    count(case when sales > 0 and days_of_invoice = 1 then 1 end) as orders,
    sum(sales) as sales,
    max(last_sale_at) as last_sale_at,
    sum(net_revenue) as net_revenue,
    count(case when is_cancellation then 1 end) as cancelled_orders
from placed
group by customer_id, day
