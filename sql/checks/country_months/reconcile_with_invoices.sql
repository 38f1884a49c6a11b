-- The countries of each month add up to its invoices, to the penny: net sales and sales, as they are and with doubled
-- invoices counted once.
-- error
select
    coalesce(parts.invoice_month, invoices.invoice_month) as invoice_month,
    parts.net_sales,
    invoices.net_sales as net_sales_of_invoices,
    parts.sales,
    invoices.sales as sales_of_invoices
from (
    select
        invoice_month,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once,
        sum(sales) as sales,
        sum(sales_once) as sales_once
    from country_months
    group by invoice_month
) as parts
full join (
    select
        invoice_month,
        sum(amount) as net_sales,
        sum(amount - second_copy_amount) as net_sales_once,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    group by invoice_month
) as invoices on parts.invoice_month = invoices.invoice_month
where
    parts.net_sales is distinct from invoices.net_sales
    or parts.net_sales_once is distinct from invoices.net_sales_once
    or parts.sales is distinct from invoices.sales
    or parts.sales_once is distinct from invoices.sales_once
