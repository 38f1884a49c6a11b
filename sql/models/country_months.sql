with invoices as (
    select
        country,
        invoice_month,
        customer_id,
        invoice_no,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then 0 else line_total end) as net_sales_once,
        count(case when is_sale then 1 end) as sale_lines,
        sum(case when is_sale then line_total else 0 end) as sales,
        sum(case when is_sale and not is_second_copy then line_total else 0 end) as sales_once
    from clean_invoices
    group by country, invoice_month, customer_id, invoice_no
),

buyers as (
    select country, invoice_month, customer_id
    from invoices
    where sale_lines > 0
    group by country, invoice_month, customer_id
),

first_months as (
    select customer_id, min(invoice_month) as first_month
    from buyers
    group by customer_id
),

customers as (
    select
        buyers.country,
        buyers.invoice_month,
        count(*) as customers,
        count(case when first_months.first_month = buyers.invoice_month then 1 end) as new_customers
    from buyers
    inner join first_months on buyers.customer_id = first_months.customer_id
    group by buyers.country, buyers.invoice_month
),

totals as (
    select
        country,
        invoice_month,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once,
        sum(sales) as sales,
        sum(sales_once) as sales_once,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders
    from invoices
    group by country, invoice_month
)

select
    totals.country,
    totals.invoice_month,
    totals.net_sales,
    totals.net_sales_once,
    totals.sales,
    totals.sales_once,
    totals.orders,
    coalesce(customers.customers, 0) as customers,
    coalesce(customers.new_customers, 0) as new_customers,
    monthly_metrics.is_partial
from totals
inner join monthly_metrics on totals.invoice_month = monthly_metrics.invoice_month
left join customers on totals.country = customers.country and totals.invoice_month = customers.invoice_month
