-- Predicted and observed shares are within 6 points of each other on past days, on average; else ranks are shown.
-- warning
select task, model, value as calibration_error, ci_low, ci_high, n
from model_evaluations
where metric = 'calibration_error' and is_used and fold = 'pooled' and source = 'back-test' and value > 0.06
