-- The cohorts of each month add up to all its customers with a sale and all their sales, to the penny, as they are and
-- with doubled invoices counted once.
-- blocking
with invoiced as (
    select
        invoice_month,
        count(distinct customer_id) as customers,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    where sale_lines > 0
    group by invoice_month
),

cohorts as (
    select invoice_month, sum(active) as customers, sum(sales) as sales, sum(sales_once) as sales_once
    from cohort_retention
    group by invoice_month
)

select
    coalesce(cohorts.invoice_month, invoiced.invoice_month) as invoice_month,
    cohorts.customers,
    invoiced.customers as customers_of_invoices,
    cohorts.sales,
    invoiced.sales as sales_of_invoices,
    cohorts.sales_once,
    invoiced.sales_once as sales_of_invoices_once
from cohorts
full join invoiced on cohorts.invoice_month = invoiced.invoice_month
where
    coalesce(cohorts.customers, 0) <> coalesce(invoiced.customers, 0)
    or coalesce(cohorts.sales, 0) <> coalesce(invoiced.sales, 0)
    or coalesce(cohorts.sales_once, 0) <> coalesce(invoiced.sales_once, 0)
