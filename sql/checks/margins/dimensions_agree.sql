-- Whichever dimension divides it, a month has the same units, sales, sales with a known cost, and cost.
-- error
with months as (
    select
        dimension,
        invoice_month,
        sum(units) as units,
        sum(sales) as sales,
        sum(known_sales) as known_sales,
        sum(cost) as cost
    from margins
    group by dimension, invoice_month
)

select
    invoice_month,
    count(distinct units) as different_units,
    count(distinct sales) as different_sales,
    count(distinct known_sales) as different_known_sales,
    count(distinct cost) as different_costs,
    count(*) as dimensions
from months
group by invoice_month
having
    count(distinct units) > 1
    or count(distinct sales) > 1
    or count(distinct known_sales) > 1
    or count(distinct cost) > 1
    or count(*) <> 4
