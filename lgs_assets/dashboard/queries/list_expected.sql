-- The same with what is expected of each customer.
select
    matched.*, monetary as sales_before_returns, do_not_contact.reason as do_not_contact, worth.sales as value,
    risk.band as risk_band, risk.probability as risk_band_order, risk.expected_next_day,
    count(*) over () as all_customers, sum(monetary) over () as all_monetary,
    sum(monetary_once) over () as all_monetary_once
from matched
left join customer_value as worth on worth.customer_id = matched.customer_id and worth.horizon_days = 182
left join churn_risk as risk on risk.customer_id = matched.customer_id
left join do_not_contact
    on do_not_contact.customer_id = matched.customer_id
order by {order}, matched.customer_id
limit cast(:limit as bigint) offset :offset
