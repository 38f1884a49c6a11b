-- The days of each customer add up to the customer's invoices: days, orders, sales and net revenue, to the penny.
-- blocking
with invoiced as (
    select
        customer_id,
        count(distinct invoice_day) as days,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders,
        sum(sale_amount) as sales,
        sum(amount) as net_revenue
    from invoice_totals
    where customer_id is not null
    group by customer_id
),

summed as (
    select
        customer_id,
        count(*) as days,
        sum(orders) as orders,
        sum(sales) as sales,
        sum(net_revenue) as net_revenue
    from customer_days
    group by customer_id
)

select
    coalesce(summed.customer_id, invoiced.customer_id) as customer_id,
    summed.days,
    invoiced.days as days_of_invoices,
    summed.orders,
    invoiced.orders as orders_of_invoices,
    summed.sales,
    invoiced.sales as sales_of_invoices,
    summed.net_revenue,
    invoiced.net_revenue as net_revenue_of_invoices
from summed
full join invoiced on summed.customer_id = invoiced.customer_id
where
    summed.days is distinct from invoiced.days
    or summed.orders is distinct from invoiced.orders
    or summed.sales is distinct from invoiced.sales
    or summed.net_revenue is distinct from invoiced.net_revenue
