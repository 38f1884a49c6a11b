-- Each customer with a sale before the moment has each of the three horizons, and nobody else has.
-- error
with customers as (
    select customer_id, as_of
    from customer_features
    where as_of = (select max(as_of) from customer_features)
),

horizons as (
    select customer_id, as_of, count(*) as horizons
    from customer_value
    group by customer_id, as_of
)

select coalesce(customers.customer_id, horizons.customer_id) as customer_id, horizons.horizons
from customers
full join horizons on customers.customer_id = horizons.customer_id and customers.as_of = horizons.as_of
where customers.customer_id is null or horizons.horizons is distinct from 3
