with buyers as (
    select country, invoice_month, customer_id
    from invoice_totals
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
        sum(amount) as net_sales,
        sum(amount - second_copy_amount) as net_sales_once,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders
    from invoice_totals
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
