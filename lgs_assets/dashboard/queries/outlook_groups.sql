-- Customers by the tenth of what they are expected to buy in 182 days, and by their risk of staying away.
select
    'decile' as kind, cast(decile as text) as label, count(*) as customers, sum(worth.sales) as sales,
    sum(worth.historic_net) as so_far, bool_and(true) as is_calibrated, min(worth.as_of) as as_of
from matched
inner join customer_value as worth using (customer_id)
where worth.horizon_days = 182
group by decile
union all
select 'band', risk.band, count(*), sum(risk.sales_365), null, bool_and(risk.is_calibrated), min(risk.as_of)
from matched
inner join churn_risk as risk using (customer_id)
group by risk.band
