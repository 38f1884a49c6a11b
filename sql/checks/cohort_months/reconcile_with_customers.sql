-- The cohorts of each month add up to the customers with a sale: orders, doubled orders, net sales as they are and with
-- doubled invoices counted once, to the penny, and how many they are.
-- error
with known as (
    select
        invoice_month,
        count(distinct customer_id) as active_customers,
        sum(placed_orders) as placed_orders,
        sum(doubled_orders) as doubled_orders,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once
    from customer_months
    where customer_id in (select customer_id from customer_profile)
    group by invoice_month
),

added as (
    select
        invoice_month,
        sum(active_customers) as active_customers,
        sum(placed_orders) as placed_orders,
        sum(doubled_orders) as doubled_orders,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once
    from cohort_months
    group by invoice_month
)

select
    coalesce(added.invoice_month, known.invoice_month) as invoice_month,
    added.net_sales,
    known.net_sales as net_sales_of_customers,
    added.placed_orders,
    known.placed_orders as placed_orders_of_customers,
    added.active_customers,
    known.active_customers as active_customers_of_customers
from added
full join known on added.invoice_month = known.invoice_month
where
    added.net_sales is distinct from known.net_sales
    or added.net_sales_once is distinct from known.net_sales_once
    or added.placed_orders is distinct from known.placed_orders
    or added.doubled_orders is distinct from known.doubled_orders
    or added.active_customers is distinct from known.active_customers
