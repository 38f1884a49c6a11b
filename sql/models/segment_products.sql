select
    segments.segment,
    clean_invoices.invoice_month,
    stock_codes.code,
    count(*) as lines,
    sum(clean_invoices.quantity) as units,
    sum(clean_invoices.line_total) as sales,
    sum(case when is_second_copy then 0 else quantity end) as units_once,
    sum(case when is_second_copy then 0 else line_total end) as sales_once
from clean_invoices
inner join segments on clean_invoices.customer_id = segments.customer_id
inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
where clean_invoices.is_sale and stock_codes.is_product
group by segments.segment, clean_invoices.invoice_month, stock_codes.code
