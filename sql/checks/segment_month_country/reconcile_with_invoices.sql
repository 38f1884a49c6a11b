-- The segments of each country and month, guests included, add up to its invoices, to the penny: net sales and sales, as
-- they are and with doubled invoices counted once, orders and customers. An invoice to customers of two segments is an order
-- of both.
-- error
with placed as (
    select invoice_totals.*, segments.segment
    from invoice_totals
    left join segments on invoice_totals.customer_id = segments.customer_id
),

ordered as (
    select country, invoice_month, count(*) as orders
    from (select distinct country, invoice_month, invoice_no, segment from placed where sale_lines > 0) as orders
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
        count(distinct case when sale_lines > 0 then customer_id end) as customers
    from placed
    group by country, invoice_month
),

invoices as (
    select summed.*, coalesce(orders, 0) as orders
    from summed
    left join ordered on summed.country = ordered.country and summed.invoice_month = ordered.invoice_month
),

parts as (
    select
        country,
        invoice_month,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once,
        sum(sales) as sales,
        sum(sales_once) as sales_once,
        sum(orders) as orders,
        sum(customers) as customers
    from segment_month_country
    group by country, invoice_month
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
    invoices.customers as customers_of_invoices
from parts
full join invoices on parts.country = invoices.country and parts.invoice_month = invoices.invoice_month
where
    parts.net_sales is distinct from invoices.net_sales
    or parts.net_sales_once is distinct from invoices.net_sales_once
    or parts.sales is distinct from invoices.sales
    or parts.sales_once is distinct from invoices.sales_once
    or parts.orders is distinct from invoices.orders
    or parts.customers is distinct from invoices.customers
