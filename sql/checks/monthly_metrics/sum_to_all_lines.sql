-- The sales of the months add up to the lines that count, to the penny, with doubled invoices and without their second
-- copies, and so do the invoices of each month.
-- error
select
    coalesce(months.invoice_month, lines.invoice_month) as invoice_month,
    months.sales,
    lines.sales as sales_of_lines,
    months.sales_once,
    lines.sales_once as sales_once_of_lines,
    months.total_orders,
    lines.total_orders as orders_of_lines
from monthly_metrics as months
full join (
    select invoice_month, sum(sales) as sales, sum(sales_once) as sales_once, count(*) as total_orders
    from (
        select
            invoice_month,
            invoice_no,
            sum(line_total) as sales,
            sum(case when is_second_copy then 0 else line_total end) as sales_once
        from clean_invoices
        group by invoice_month, invoice_no
    ) as invoices
    group by invoice_month
) as lines on months.invoice_month = lines.invoice_month
where
    months.sales is distinct from lines.sales
    or months.sales_once is distinct from lines.sales_once
    or months.total_orders is distinct from lines.total_orders
