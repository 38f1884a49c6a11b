-- The predictions of each task, moment, model and version are as many as prediction_log holds.
-- error
with held as (
    select task, as_of, model, model_version, count(*) as predictions
    from prediction_log
    group by task, as_of, model, model_version
)

select
    coalesce(held.task, logged_predictions.task) as task,
    coalesce(held.as_of, logged_predictions.as_of) as as_of,
    coalesce(held.model, logged_predictions.model) as model,
    coalesce(held.model_version, logged_predictions.model_version) as model_version,
    logged_predictions.predictions,
    held.predictions as predictions_in_log
from held
full join logged_predictions
    on held.task = logged_predictions.task
    and held.as_of = logged_predictions.as_of
    and held.model = logged_predictions.model
    and held.model_version = logged_predictions.model_version
where held.predictions is distinct from logged_predictions.predictions
