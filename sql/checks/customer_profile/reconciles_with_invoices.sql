-- Every customer with a sale, and nobody else, has a profile, and its orders, days of purchase, sales, returns and net
-- revenue are those of the customer's invoices, to the penny.
-- blocking
with invoiced as (
    select
        customer_id,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders,
        count(distinct case when sale_lines > 0 then invoice_day end) as purchase_days,
        sum(sale_amount) as sales,
        sum(case when is_cancellation then -amount else 0 end) as returns,
        sum(amount) as net_revenue
    from invoice_totals
    where customer_id is not null
    group by customer_id
    having sum(sale_lines) > 0
)

select
    coalesce(customer_profile.customer_id, invoiced.customer_id) as customer_id,
    customer_profile.orders,
    invoiced.orders as orders_of_invoices,
    customer_profile.purchase_days,
    invoiced.purchase_days as purchase_days_of_invoices,
    customer_profile.sales,
    invoiced.sales as sales_of_invoices,
    customer_profile.returns,
    invoiced.returns as returns_of_invoices,
    customer_profile.net_revenue,
    invoiced.net_revenue as net_revenue_of_invoices
from customer_profile
full join invoiced on customer_profile.customer_id = invoiced.customer_id
where
    customer_profile.orders is distinct from invoiced.orders
    or customer_profile.purchase_days is distinct from invoiced.purchase_days
    or customer_profile.returns is distinct from invoiced.returns
    or customer_profile.sales is distinct from invoiced.sales
    or customer_profile.net_revenue is distinct from invoiced.net_revenue
