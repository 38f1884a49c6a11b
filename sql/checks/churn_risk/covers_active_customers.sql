-- Those at risk are the customers who bought in the last 365 days observed, each once and ranked without gaps.
-- error
with active as (
    select customer_id
    from customer_features
    where as_of = (select max(as_of) from customer_features) and recency_days <= 365
)

select coalesce(active.customer_id, churn_risk.customer_id) as customer_id, churn_risk.rank
from active
full join (
    select customer_id, rank, row_number() over (order by rank) as place from churn_risk
) as churn_risk on active.customer_id = churn_risk.customer_id
where active.customer_id is null or churn_risk.customer_id is null or churn_risk.rank <> churn_risk.place
