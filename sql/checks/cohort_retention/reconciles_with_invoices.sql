-- The cohorts of each month together are all its customers with a sale and all their sales, to the penny.
-- blocking
with invoiced as (
    select invoice_month, count(distinct customer_id) as customers, sum(sale_amount) as sales
    from invoice_totals
    where sale_lines > 0
    group by invoice_month
),

cohorts as (
    select invoice_month, sum(active) as customers, sum(sales) as sales
    from cohort_retention
    group by invoice_month
)

select
    coalesce(cohorts.invoice_month, invoiced.invoice_month) as invoice_month,
    cohorts.customers,
    invoiced.customers as customers_of_invoices,
    cohorts.sales,
    invoiced.sales as sales_of_invoices
from cohorts
full join invoiced on cohorts.invoice_month = invoiced.invoice_month
where
    coalesce(cohorts.customers, 0) <> coalesce(invoiced.customers, 0)
    or coalesce(cohorts.sales, 0) <> coalesce(invoiced.sales, 0)
