-- The products of each month add up to the lines of products in that month, to the line, the unit and the penny: what
-- was sold and what was returned, as it is and with doubled invoices counted once.
-- error
select
    coalesce(months.invoice_month, lines.invoice_month) as invoice_month,
    months.lines,
    lines.lines as lines_of_products,
    months.net_sales,
    lines.net_sales as net_sales_of_lines,
    months.units_sold,
    lines.units_sold as units_of_lines,
    months.sales,
    lines.sales as sales_of_lines,
    months.returned,
    lines.returned as returned_of_lines
from (
    select
        invoice_month,
        sum(lines) as lines,
        sum(net_sales) as net_sales,
        sum(net_sales_once) as net_sales_once,
        sum(units_sold) as units_sold,
        sum(units_sold_once) as units_sold_once,
        sum(sales) as sales,
        sum(sales_once) as sales_once,
        sum(return_lines) as return_lines,
        sum(units_returned) as units_returned,
        sum(returned) as returned
    from product_months
    group by invoice_month
) as months
full join (
    select
        clean_invoices.invoice_month,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then 0 else line_total end) as net_sales_once,
        sum(case when is_sold then quantity else 0 end) as units_sold,
        sum(case when is_sold and not is_second_copy then quantity else 0 end) as units_sold_once,
        sum(case when is_sold then line_total else 0 end) as sales,
        sum(case when is_sold and not is_second_copy then line_total else 0 end) as sales_once,
        count(case when is_cancellation and quantity < 0 then 1 end) as return_lines,
        sum(case when is_cancellation and quantity < 0 then -quantity else 0 end) as units_returned,
        sum(case when is_cancellation and quantity < 0 then -line_total else 0 end) as returned
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product
    group by clean_invoices.invoice_month
) as lines on months.invoice_month = lines.invoice_month
where
    months.lines is distinct from lines.lines
    or months.net_sales is distinct from lines.net_sales
    or months.net_sales_once is distinct from lines.net_sales_once
    or months.units_sold is distinct from lines.units_sold
    or months.units_sold_once is distinct from lines.units_sold_once
    or months.sales is distinct from lines.sales
    or months.sales_once is distinct from lines.sales_once
    or months.return_lines is distinct from lines.return_lines
    or months.units_returned is distinct from lines.units_returned
    or months.returned is distinct from lines.returned
