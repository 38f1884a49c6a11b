with items as (
    select distinct clean_invoices.invoice_no, stock_codes.code
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product and is_sold
),

-- Millions of pairs are joined and counted: by whole numbers, which takes half the time.
common as (
    select code, count(*) as baskets, row_number() over (order by code) as place
    from items
    group by code
    having count(*) >= :pair_support
),

baskets as (
    select invoice_no, row_number() over (order by invoice_no) as basket
    from (select distinct invoice_no from items) as invoices
),

whole as (
    select count(*) as baskets
    from baskets
),

placed as (
    select baskets.basket, common.place
    from items
    inner join common on items.code = common.code
    inner join baskets on items.invoice_no = baskets.invoice_no
),

pairs as (
    select one.place, other.place as other_place, count(*) as baskets
    from placed as one
    inner join placed as other on one.basket = other.basket and one.place < other.place
    group by one.place, other.place
    having count(*) >= :pair_support
)

select
    one.code,
    other.code as other_code,
    pairs.baskets,
    one.baskets as baskets_of_code,
    other.baskets as baskets_of_other,
    whole.baskets as all_baskets,
    round(1.0 * pairs.baskets / whole.baskets, 6) as support,
    round(1.0 * pairs.baskets / one.baskets, 6) as confidence,
    round(1.0 * pairs.baskets / other.baskets, 6) as confidence_back,
    round(1.0 * pairs.baskets * whole.baskets / (one.baskets * other.baskets), 6) as lift,
    round(1.0 * pairs.baskets * (one.baskets + other.baskets) / (2 * one.baskets * other.baskets), 6) as kulczynski
from pairs
inner join common as one on pairs.place = one.place
inner join common as other on pairs.other_place = other.place
cross join whole
