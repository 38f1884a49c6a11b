-- What is expected of each customer in the next half year, and their risk of staying away.
select customer_id, worth.sales as value, risk.band as risk_band, risk.expected_next_day
from (select customer_id, sales from customer_value where horizon_days = 182) as worth
full join churn_risk as risk using (customer_id)
