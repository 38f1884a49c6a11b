-- The 80 % intervals of forecasts held 70 to 90 % of what came.
-- warning
select task, model, value as share_within, ci_low, ci_high, n
from model_evaluations
where metric = 'coverage_80' and task like 'forecasts%' and is_used and fold = 'pooled' and value not between 0.7 and 0.9
