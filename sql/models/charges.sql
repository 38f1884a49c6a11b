select
    stock_codes.code,
    stock_codes.description,
    count(*) as lines,
    sum(clean_invoices.line_total) as net_sales,
    sum(case when not is_cancellation and line_total > 0 then line_total else 0 end) as charged,
    sum(case when is_cancellation or line_total < 0 then -line_total else 0 end) as given_back
from clean_invoices
inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
where not stock_codes.is_product
group by stock_codes.code, stock_codes.description
