-- The figures of each country and month are those of its invoices, to the penny: net sales and sales, as they are and with
-- doubled invoices counted once, orders, customers and, among these, new ones.
-- error
with buyers as (
    select
        customer_id,
        country,
        invoice_month,
        min(invoice_month) over (partition by customer_id) as first_month
    from invoice_totals
    where sale_lines > 0
),

counted as (
    select
        country,
        invoice_month,
        count(distinct customer_id) as customers,
        count(distinct case when invoice_month = first_month then customer_id end) as new_customers
    from buyers
    group by country, invoice_month
),

summed as (
    select
        country,
        invoice_month,
        sum(amount) as net_sales,
        sum(amount - second_copy_amount) as net_sales_once,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders
    from invoice_totals
    group by country, invoice_month
),

invoices as (
    select
        summed.*,
        coalesce(customers, 0) as customers,
        coalesce(new_customers, 0) as new_customers
    from summed
    left join counted on summed.country = counted.country and summed.invoice_month = counted.invoice_month
)

select
    coalesce(parts.country, invoices.country) as country,
    coalesce(parts.invoice_month, invoices.invoice_month) as invoice_month,
    parts.net_sales,
    invoices.net_sales as net_sales_of_invoices,
    parts.sales,
    invoices.sales as sales_of_invoices,
    parts.orders,
    invoices.orders as orders_of_invoices,
    parts.customers,
    invoices.customers as customers_of_invoices,
    parts.new_customers,
    invoices.new_customers as new_customers_of_invoices
from country_months as parts
full join invoices on parts.country = invoices.country and parts.invoice_month = invoices.invoice_month
where
    parts.net_sales is distinct from invoices.net_sales
    or parts.net_sales_once is distinct from invoices.net_sales_once
    or parts.sales is distinct from invoices.sales
    or parts.sales_once is distinct from invoices.sales_once
    or parts.orders is distinct from invoices.orders
    or parts.customers is distinct from invoices.customers
    or parts.new_customers is distinct from invoices.new_customers
