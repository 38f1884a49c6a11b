-- Every prediction of the tables is in prediction_log as it stands: that of each figure, window and subject. As of a
-- moment in the past there is hindsight in the tables, which the log does not keep.
-- error
with made as (
    select
        'customer_value' as task, as_of, cast(customer_id as text) as subject, 'purchases' as figure,
        as_of as window_from, round(cast(purchases as numeric), 6) as point
    from customer_value
    union all
    select 'churn_risk', as_of, cast(customer_id as text), 'probability', as_of, round(cast(probability as numeric), 6)
    from churn_risk
    union all
    select 'slipping', as_of, cast(customer_id as text), 'rank', as_of, rank
    from slipping
    union all
    select
        'forecasts', as_of, concat(kind, ': ', series), concat('amount by ', grain, ', ', horizon, ' ahead'),
        period_start, forecast
    from forecasts
)

select made.*
from made
where
    exists (select from prediction_terms where is_ahead)
    and not exists (
        select
        from prediction_log
        where
            prediction_log.task = made.task
            and prediction_log.as_of = made.as_of
            and prediction_log.subject = made.subject
            and prediction_log.figure = made.figure
            and prediction_log.window_from = made.window_from
            and abs(prediction_log.point - made.point) <= 0.000001
    )
