-- The products of each month add up to the lines of products in that month, to the line and to the penny: as they are
-- and with doubled invoices counted once.
-- error
select
    coalesce(months.invoice_month, lines.invoice_month) as invoice_month,
    months.lines,
    lines.lines as lines_of_products,
    months.net_sales,
    lines.net_sales as net_sales_of_lines,
    months.net_sales_once,
    lines.net_sales_once as net_sales_once_of_lines
from (
    select
        invoice_month,
        sum(lines) as lines,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once
    from product_months
    group by invoice_month
) as months
full join (
    select
        clean_invoices.invoice_month,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then 0 else line_total end) as net_sales_once
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product
    group by clean_invoices.invoice_month
) as lines on months.invoice_month = lines.invoice_month
where
    months.lines is distinct from lines.lines
    or months.net_sales is distinct from lines.net_sales
    or months.net_sales_once is distinct from lines.net_sales_once
