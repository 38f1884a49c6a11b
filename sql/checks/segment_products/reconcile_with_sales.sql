-- The segments' purchases add up to those of customers, for each product and month, to the unit and to the penny.
-- error
select
    coalesce(bought.code, lines.code) as code,
    coalesce(bought.invoice_month, lines.invoice_month) as invoice_month,
    bought.units,
    lines.units as units_of_lines,
    bought.sales,
    lines.sales as sales_of_lines
from (
    select code, invoice_month, sum(units) as units, sum(sales) as sales
    from segment_products
    group by code, invoice_month
) as bought
full join (
    select stock_codes.code, clean_invoices.invoice_month, sum(quantity) as units, sum(line_total) as sales
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where clean_invoices.is_sale and stock_codes.is_product
    group by stock_codes.code, clean_invoices.invoice_month
) as lines on bought.code = lines.code and bought.invoice_month = lines.invoice_month
where bought.units is distinct from lines.units or bought.sales is distinct from lines.sales
