-- What is expected of each customer in the next year, and their risk of staying away.
select customer_id, worth.sales as expected_sales, risk.band as risk
from (select customer_id, sales from customer_value where horizon_days = 365) as worth
full join churn_risk as risk using (customer_id)
