-- Whichever dimension divides it, a month has the same cost, and the same sales with a known cost.
-- error
select
    invoice_month,
    count(distinct known_sales) as different_known_sales,
    count(distinct cost) as different_costs,
    count(*) as dimensions
from (
    select dimension, invoice_month, sum(known_sales) as known_sales, sum(cost) as cost
    from margins
    group by dimension, invoice_month
) as months
group by invoice_month
having count(distinct known_sales) > 1 or count(distinct cost) > 1 or count(*) <> 4
