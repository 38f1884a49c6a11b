-- The figures of each product are those of its lines, to the unit and to the penny: all of them, what it sold and what came
-- back; and of this what is matched in returns.
-- error
with wanted as (
    select
        stock_codes.code,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_sold then quantity else 0 end) as units_sold,
        sum(case when is_sold then line_total else 0 end) as sales,
        count(case when is_cancellation and quantity < 0 then 1 end) as return_lines,
        sum(case when is_cancellation and quantity < 0 then -quantity else 0 end) as units_returned,
        sum(case when is_cancellation and quantity < 0 then -line_total else 0 end) as returned
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where is_product
    group by stock_codes.code
),

matched as (
    select code, sum(units_matched) as units, sum(amount_matched) as amount
    from returns
    where is_product
    group by code
)

select
    coalesce(products.code, wanted.code) as code,
    products.lines,
    wanted.lines as lines_wanted,
    products.net_sales,
    wanted.net_sales as net_sales_wanted,
    products.units_sold,
    wanted.units_sold as units_sold_wanted,
    products.sales,
    wanted.sales as sales_wanted,
    products.return_lines,
    wanted.return_lines as return_lines_wanted,
    products.units_returned,
    wanted.units_returned as units_returned_wanted,
    products.returned,
    wanted.returned as returned_wanted,
    units_returned_matched,
    matched.units as units_of_returns,
    returned_matched,
    matched.amount as amount_of_returns
from products
full join wanted on products.code = wanted.code
left join matched on wanted.code = matched.code
where
    products.lines is distinct from wanted.lines
    or products.net_sales is distinct from wanted.net_sales
    or products.units_sold is distinct from wanted.units_sold
    or products.sales is distinct from wanted.sales
    or products.return_lines is distinct from wanted.return_lines
    or products.units_returned is distinct from wanted.units_returned
    or products.returned is distinct from wanted.returned
    or units_returned_matched <> coalesce(matched.units, 0)
    or returned_matched <> coalesce(matched.amount, 0)
