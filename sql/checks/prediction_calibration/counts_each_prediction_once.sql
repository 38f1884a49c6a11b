-- Every prediction of a past day is in one tenth of its kind.
-- blocking
with asked as (
    select 'value' as kind, count(*) as predictions
    from value_backtests
    where horizon_days = 182
    union all
    select 'risk', count(*)
    from risk_backtests
    where task = 'churn_risk'
),

told as (
    select kind, sum(predictions) as predictions
    from prediction_calibration
    group by kind
)

select asked.kind, asked.predictions as made, coalesce(told.predictions, 0) as counted
from asked
left join told on asked.kind = told.kind
where asked.predictions <> coalesce(told.predictions, 0)
