-- The customers of each month add up to its invoices, guests left out: net sales, as they are and with doubled invoices
-- counted once, to the penny, and orders. An invoice to two customers is an order of both.
-- error
with invoices as (
    select
        invoice_month,
        sum(amount) as net_sales,
        sum(net_amount_once) as net_sales_once,
        sum(case when is_cancelled = 1 then -1 else 1 end) as placed_orders,
        sum(is_doubled) as doubled_orders,
        count(distinct customer_id) as customers
    from (
        select
            invoice_month,
            customer_id,
            sum(amount) as amount,
            sum(amount) - sum(second_copy_amount) as net_amount_once,
            max(case when is_cancellation then 1 else 0 end) as is_cancelled,
            max(case when second_copy_lines > 0 then 1 else 0 end) as is_doubled
        from invoice_totals
        where customer_id is not null
        group by invoice_month, invoice_no, customer_id
    ) as each_invoice
    group by invoice_month
),

added as (
    select
        invoice_month,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once,
        sum(placed_orders) as placed_orders,
        sum(doubled_orders) as doubled_orders,
        count(*) as customers
    from customer_months
    group by invoice_month
)

select
    coalesce(added.invoice_month, invoices.invoice_month) as invoice_month,
    added.net_sales,
    invoices.net_sales as net_sales_of_invoices,
    added.placed_orders,
    invoices.placed_orders as placed_orders_of_invoices,
    added.customers,
    invoices.customers as customers_of_invoices
from added
full join invoices on added.invoice_month = invoices.invoice_month
where
    added.net_sales is distinct from invoices.net_sales
    or added.net_sales_once is distinct from invoices.net_sales_once
    or added.placed_orders is distinct from invoices.placed_orders
    or added.doubled_orders is distinct from invoices.doubled_orders
    or added.customers is distinct from invoices.customers
