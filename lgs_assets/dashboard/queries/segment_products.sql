-- What sold best in the twelve months up to :as_of, to the segments given: those of today.
select bought.code, products.description, sum(bought.sales_once) as sales, sum(bought.units_once) as units
from segment_products as bought
left join products using (code)
where bought.invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
    and (cast(:segments as text[]) is null or bought.segment = any(cast(:segments as text[])))
group by bought.code, products.description
order by sales desc, bought.code
limit 15
