-- On past days intervals held what they promise: those of forecasts, and of their sums, 70 to 90 % for 80 % and at least
-- 90 % for 95 %; those of customers, whose purchases are whole numbers, at least 75 % for 80 %. Of fewer than ten values
-- nothing is said.
-- warning
select task, model, metric, value as share_within, ci_low, ci_high, n
from model_evaluations
where
    is_used
    and fold = 'pooled'
    and source = 'back-test'
    and n >= 10
    and (
        metric in ('coverage_80', 'coverage_80_sum') and value not between 0.7 and 0.9
        or metric = 'coverage_95' and value < 0.9
        or metric in ('coverage_80_purchases', 'coverage_80_sales') and value < 0.75
    )
