-- The numbers of baskets, in all and of each product, are those in clean_invoices.
-- error
with items as (
    select distinct clean_invoices.invoice_no, stock_codes.code
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product and is_sold
),

counted as (
    select code, count(*) as baskets
    from items
    group by code
),

told as (
    select code, baskets_of_code as baskets, all_baskets from product_pairs
    union
    select other_code as code, baskets_of_other as baskets, all_baskets from product_pairs
)

select told.code, told.baskets, counted.baskets as baskets_of_lines, told.all_baskets, whole.baskets as all_of_lines
from told
left join counted on told.code = counted.code
cross join (select count(distinct invoice_no) as baskets from items) as whole
where told.baskets is distinct from counted.baskets or told.all_baskets <> whole.baskets
