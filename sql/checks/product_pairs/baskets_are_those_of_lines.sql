-- The numbers of baskets, in all and of each product, are those in clean_invoices; and so are the pairs of the product
-- that is in most baskets.
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
),

most_common as (
    select code
    from counted
    order by baskets desc, code
    limit 1
),

beside_it as (
    select items.code, count(*) as baskets
    from items
    inner join items as chosen on items.invoice_no = chosen.invoice_no
    inner join most_common on chosen.code = most_common.code and items.code <> most_common.code
    group by items.code
    having count(*) >= :pair_support
),

paired as (
    select case when product_pairs.code = most_common.code then other_code else product_pairs.code end as code, baskets
    from product_pairs
    inner join most_common on most_common.code in (product_pairs.code, other_code)
)

select told.code, told.baskets, counted.baskets as baskets_of_lines, told.all_baskets, whole.baskets as all_of_lines
from told
left join counted on told.code = counted.code
cross join (select count(*) as baskets from (select distinct invoice_no from items) as invoices) as whole
where told.baskets is distinct from counted.baskets or told.all_baskets <> whole.baskets
union all
select coalesce(paired.code, beside_it.code), paired.baskets, beside_it.baskets, null, null
from paired
full join beside_it on paired.code = beside_it.code
where paired.baskets is distinct from beside_it.baskets
