-- What sales of these products and countries earned in the twelve months up to :as_of, where their unit costs are known.
select dimension, member, sum(margin) as margin, sum(known_sales) / sum(sales) as known_share
from margins
where
    dimension in ('product', 'country')
    and member = any(cast(:members as text[]))
    and invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
group by dimension, member
having sum(known_sales) > 0
