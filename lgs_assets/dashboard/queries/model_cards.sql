-- What each model is for, how wrong it has been, and the one figure of each task that says it best: of past days, and live.
select
    task, title, model, purpose, data, rule, measured_error, limits, unavailable_because,
    (select as_of from prediction_terms) as as_of,
    (select observed_until from prediction_terms) as observed_until,
    (select bool_and(is_calibrated) from churn_risk) as is_calibrated,
    (
        select
            json_build_object(
                'value', min(value) filter (where fold = 'pooled'), 'least', min(value) filter (where fold <> 'pooled'),
                'most', max(value) filter (where fold <> 'pooled')
            )
        from model_evaluations
        where task = 'customer_value, 182 days' and is_used and source = 'back-test' and metric = 'total_error_sales'
    ) as total_error,
    (
        select json_object_agg(task, json_build_object('value', value, 'low', ci_low, 'high', ci_high))
        from model_evaluations
        where fold = 'pooled' and is_used and source = 'back-test' and metric = 'bias'
    ) as biases,
    (
        select json_object_agg(
            concat(judged.task, case source when 'live' then ', live' end),
            json_build_object(
                'value', value, 'low', ci_low, 'high', ci_high, 'n', n, 'baseline', baseline,
                'baseline_value', baseline_value,
                'is_difference_shown', difference_low > 0 or difference_high < 0
            )
        )
        from model_evaluations as judged
        where fold = 'pooled' and is_used and value is not null
            and metric in ('wape', 'auc', 'top_decile_share') and starts_with(judged.task, model_cards.task)
    ) as headlines
from model_cards
order by position
