-- Every task with predictions of past days has a measured error.
-- error
select asked.task
from (
    select 'customer_value' as task from value_backtests
    union
    select task from risk_backtests
    union
    select 'forecasts' from forecast_backtests
) as asked
where not exists (
    select
    from model_evaluations
    where model_evaluations.task like asked.task || '%' and source = 'back-test' and value is not null
)
