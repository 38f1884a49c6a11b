-- What came is known only of windows that were over when observation ended.
-- blocking
select customer_outcomes.*
from customer_outcomes
cross join prediction_terms
where
    (bought_90 is not null or purchase_days_90 is not null) and customer_outcomes.as_of + 90 > observed_until
    or purchase_days_182 is not null and customer_outcomes.as_of + 182 > observed_until
    or purchase_days_365 is not null and customer_outcomes.as_of + 365 > observed_until
    or segment_3_months is not null and customer_outcomes.as_of + interval '3 months' > observed_until
