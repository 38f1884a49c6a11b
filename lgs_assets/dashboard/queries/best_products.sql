-- What sold best in the twelve months up to :as_of, guests included.
select code, products.description, best.sales, best.units
from (
    select code, sum(sales_once) as sales, sum(units_sold_once) as units
    from product_months
    where invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
    group by code
    order by sales desc, code
    limit 15
) as best
left join products using (code)
order by best.sales desc, code
