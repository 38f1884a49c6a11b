-- Ranked are the Loyal Customers and Champions of the moment, each once and without gaps.
-- error
with good as (
    select customer_id
    from customer_features
    where
        as_of = (select max(as_of) from customer_features)
        and segment in ('Champions', 'Loyal Customers')
)

select coalesce(good.customer_id, slipping.customer_id) as customer_id, slipping.rank
from good
full join (
    select customer_id, rank, row_number() over (order by rank) as place from slipping
) as slipping on good.customer_id = slipping.customer_id
where good.customer_id is null or slipping.customer_id is null or slipping.rank <> slipping.place
