-- The figures of each charge are those of its lines, and no line that is not of a product is left out, to the penny.
-- error
with wanted as (
    select
        stock_codes.code,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when line_total > 0 and not is_cancellation then line_total else 0 end) as charged
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where not is_product
    group by stock_codes.code
)

select
    coalesce(charges.code, wanted.code) as code,
    charges.lines,
    wanted.lines as lines_wanted,
    charges.net_sales,
    wanted.net_sales as net_sales_wanted,
    charges.charged,
    wanted.charged as charged_wanted
from charges
full join wanted on charges.code = wanted.code
where
    charges.lines is distinct from wanted.lines
    or charges.net_sales is distinct from wanted.net_sales
    or charges.charged is distinct from wanted.charged
