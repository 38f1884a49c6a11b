-- What was predicted on past days and what came: of the risk by its tenth of probability, of sales by the tenth of
-- customers rated highest, both as whatever predicts now would have told them.
with rated as (
    select
        as_of, customer_id, cast(actual_sales as double precision) as came,
        case
            when exists (
                select from model_evaluations
                where task = 'customer_value, 182 days' and is_used and model = baseline
            ) then cast(baseline_sales as double precision)
            else sales
        end as predicted
    from value_backtests
    where horizon_days = 182
),

told as (
    select
        as_of, cast(cast(happened as integer) as double precision) as came,
        case
            when exists (
                select from model_evaluations
                where task = 'churn_risk, active in the last 365 days' and is_used and model = baseline
            ) then baseline_probability
            else probability
        end as predicted
    from risk_backtests
    where task = 'churn_risk'
),

placed as (
    select 'risk' as kind, as_of, cast(least(floor(10 * predicted), 9) as integer) as place, predicted, came
    from told
    where predicted is not null
    union all
    select
        'value', as_of,
        cast(
            1 + 10 * (row_number() over (partition by as_of order by predicted desc, customer_id) - 1)
            / count(*) over (partition by as_of) as integer
        ),
        predicted, came
    from rated
)

select
    kind, place, count(*) as customers, avg(predicted) as predicted, avg(came) as came, count(distinct as_of) as days,
    min(as_of) as first_day, max(as_of) as last_day
from placed
group by kind, place
order by kind, place
