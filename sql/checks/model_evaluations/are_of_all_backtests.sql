-- Every task with predictions of past days is evaluated, though its figure need not be defined: nobody may have slipped.
-- error
select asked.task
from (
    select concat('customer_value, ', horizon_days, ' days') as task from value_backtests
    union
    select case task when 'slipping' then 'slipping, Loyal Customers and Champions' else task end from risk_backtests
    union
    select concat('forecasts, ', kind, ' by ', grain, ', ', horizon, ' ahead') from forecast_backtests
) as asked
where not exists (
    select
    from model_evaluations
    where
        model_evaluations.source = 'back-test'
        and model_evaluations.model <> 'none'
        and (
            model_evaluations.task = asked.task
            -- Who is at risk is judged by population.
            or (asked.task = 'churn_risk' and model_evaluations.task like 'churn_risk, %')
        )
)
