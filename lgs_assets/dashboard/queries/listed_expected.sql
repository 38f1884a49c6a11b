-- The same with what is expected of each customer.
select
    matched.*, monetary as sales_before_returns, worth.sales as value, risk.band as risk_band,
    risk.probability as risk_band_order, risk.expected_next_day
from matched
left join customer_value as worth on worth.customer_id = matched.customer_id and worth.horizon_days = 182
left join churn_risk as risk on risk.customer_id = matched.customer_id
