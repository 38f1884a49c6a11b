-- The same with what is expected of them: nothing where nothing is predicted, and no risk after a year without an order.
select
    profile.*, worth.sales as expected_sales, worth.sales_low, worth.sales_high, risk.rank as risk_rank,
    (select count(*) from churn_risk) as ranked, risk.band, risk.is_calibrated, risk.probability,
    concat_ws('; ', risk.reason_1, risk.reason_2, risk.reason_3) as reasons, risk.expected_next_day, risk.days_late,
    (select observed_until from prediction_terms) as observed_until, slipping.days_to_edge, slipping.edge_days,
    slipping.as_of as edge_from, do_not_contact.reason as do_not_contact
from customer_profile as profile
left join customer_value as worth on worth.customer_id = profile.customer_id and worth.horizon_days = 182
left join churn_risk as risk on risk.customer_id = profile.customer_id
left join slipping on slipping.customer_id = profile.customer_id
left join do_not_contact
    on do_not_contact.customer_id = profile.customer_id
where profile.customer_id = :customer_id
