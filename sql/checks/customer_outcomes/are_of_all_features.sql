-- What came is told of every moment and customer of customer_features, and of nobody else.
-- blocking
select
    coalesce(customer_features.as_of, customer_outcomes.as_of) as as_of,
    coalesce(customer_features.customer_id, customer_outcomes.customer_id) as customer_id
from customer_features
full join customer_outcomes
    on customer_features.as_of = customer_outcomes.as_of
    and customer_features.customer_id = customer_outcomes.customer_id
where customer_features.customer_id is null or customer_outcomes.customer_id is null
