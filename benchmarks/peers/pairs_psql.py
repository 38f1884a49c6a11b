"""Plain SQL: product pairs as a join of the lines with themselves, on the platform's lines."""

from benchmarks.peers.common import settings
from benchmarks.peers.psql import run

PAIRS = """
\\echo start
set search_path = public, lgs;
create table public.product_pairs as
with items as (
    select distinct invoice_no, code
    from clean_invoices
    inner join stock_codes using (stock_code)
    where is_product and is_sold
),
whole as (select count(distinct invoice_no) as all_baskets from items),
common as (select code, count(*) as baskets from items group by code having count(*) >= {support}),
pairs as (
    select one.code, other.code as other_code, count(*) as baskets
    from (select * from items where code in (select code from common)) as one
    inner join (select * from items where code in (select code from common)) as other
        on one.invoice_no = other.invoice_no and one.code < other.code
    group by one.code, other.code
    having count(*) >= {support}
)
select
    pairs.*, one.baskets as baskets_of_code, other.baskets as baskets_of_other, all_baskets,
    round(1.0 * pairs.baskets / all_baskets, 6) as support,
    round(1.0 * pairs.baskets / one.baskets, 6) as confidence,
    round(1.0 * pairs.baskets / other.baskets, 6) as confidence_back,
    round(1.0 * pairs.baskets * all_baskets / (one.baskets * other.baskets), 6) as lift,
    round(0.5 * pairs.baskets / one.baskets + 0.5 * pairs.baskets / other.baskets, 6) as kulczynski
from pairs
inner join common as one on one.code = pairs.code
inner join common as other on other.code = pairs.other_code
cross join whole;
\\echo product_pairs
"""

if __name__ == "__main__":
    run(PAIRS.format(support=settings()["pair_support"]))
