-- Each model is better than its baseline on all folds together; where it is not, the baseline makes the predictions.
-- warning
select task, model, metric, value, n, unavailable_because
from model_evaluations
where is_used and model = baseline and fold = 'pooled' and source = 'back-test'
