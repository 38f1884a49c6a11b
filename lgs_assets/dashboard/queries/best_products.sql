-- What sold best in the twelve months up to :as_of, guests included.
select
    code, products.description, sum(months.sales_once) as sales, sum(months.units_sold_once) as units,
    sum(months.returned) as returned, products.abc_class
from product_months as months
inner join products using (code)
where invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
group by code, products.description, products.abc_class
order by sales desc, code
limit 15
