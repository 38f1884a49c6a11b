-- derived: rebuilt at will from other tables
create table model_evaluations (
    task text collate "C" not null,
    model text collate "C" not null,
    fold text collate "C" not null,
    metric text collate "C" not null,
    source text collate "C" not null check (source in ('back-test', 'live')),
    value double precision,
    ci_low double precision,
    ci_high double precision,
    n bigint not null check (n >= 0),
    baseline text collate "C",
    baseline_value double precision,
    difference double precision,
    difference_low double precision,
    difference_high double precision,
    is_better boolean,
    is_used boolean not null,
    unavailable_because text collate "C",
    primary key (task, model, fold, metric, source),
    check (metric = 'bias' or value >= 0),
    check (
        metric not in (
            'auc', 'brier', 'calibration_error', 'coverage_80', 'coverage_80_purchases', 'coverage_80_sales',
            'coverage_80_sum', 'coverage_95', 'expected_coverage', 'top_decile_share', 'within_14_days'
        )
        or value <= 1
    ),
    check (ci_low <= value and value <= ci_high),
    check ((ci_low is null) = (ci_high is null)),
    check ((value is null) = (unavailable_because is not null)),
    check ((baseline_value is null) = (is_better is null)),
    check ((baseline_value is null) = (difference is null)),
    check (difference_low <= difference and difference <= difference_high),
    check ((difference_low is null) = (difference_high is null))
);

comment on table model_evaluations is 'How wrong each model has been: on past days as if it had been asked then, and live, once the window of a prediction has passed. One row a task, model, fold, metric and source.';
comment on column model_evaluations.task is 'What is predicted: customer_value by horizon, churn_risk by population or the expected next purchase, slipping by population, or forecasts by kind, grain and horizon.';
comment on column model_evaluations.model is 'Model or method.';
comment on column model_evaluations.fold is 'The day that it was asked on, or pooled: of forecasts all their values together, of any other task the mean of the days, each counting as much; of forecasts by country and product also pooled: and the series.';
comment on column model_evaluations.metric is 'mae_purchases, mae_sales: mean absolute error a customer; total_error_purchases, total_error_sales: absolute error of the total, as a share of it; coverage_80_purchases, coverage_80_sales: share of customers within the 80 % interval, and expected_coverage: the share that the model itself expects of purchases, which are whole; within_14_days: of the customers whose expected day lay in the next 76, so that the 90 days hold the fortnight after it, the share that bought within 14 days of it, mae_next_day: the mean absolute error in days of those of them who bought within the 90; top_decile_share: share of all sales with the tenth of customers rated highest; auc: how often a customer it befell is ranked above one it did not; calibration_error: mean gap between predicted and observed share in the tenths of a day''s customers by probability; brier: mean squared error of the probability; wape: sum of absolute errors as a share of the sum of actual values; bias: sum of errors as that share; coverage_80, coverage_95: share of values within the interval; coverage_80_sum: share of the sums of all periods forecast at once within theirs.';
comment on column model_evaluations.source is 'back-test or live.';
comment on column model_evaluations.value is 'The figure. NULL if it cannot be had.';
comment on column model_evaluations.ci_low is 'Lower end of its 95 % interval by bootstrap over customers, for forecasts over origins, in blocks where their windows overlap. NULL where there are too few of them.';
comment on column model_evaluations.ci_high is 'Its upper end.';
comment on column model_evaluations.n is 'Customers, or values that were forecast: pooled, those of all days. There a customer counts once for each day: far fewer are different, and the interval draws customers, not rows.';
comment on column model_evaluations.baseline is 'What the model has to beat.';
comment on column model_evaluations.baseline_value is 'The same figure of the baseline.';
comment on column model_evaluations.difference is 'value less baseline_value. NULL without a baseline.';
comment on column model_evaluations.difference_low is 'Lower end of its 95 % interval, from the same draws for both: where that holds 0, no difference is shown.';
comment on column model_evaluations.difference_high is 'Its upper end.';
comment on column model_evaluations.is_better is 'Whether value is better than baseline_value, by however little. NULL without a baseline.';
comment on column model_evaluations.is_used is 'Whether the predictions are made by this model: by the baseline where the model did not beat it on all folds of past days together. Live rows are marked by the same.';
comment on column model_evaluations.unavailable_because is 'Why there is no figure. NULL if there is.';
