-- kept: facts that no dump brings back
create table prediction_log (
    task text not null check (task in ('customer_value', 'churn_risk', 'slipping', 'forecasts')),
    model_version text not null check (model_version ~ '^[0-9a-f]{64}$'),
    subject text not null,
    figure text not null,
    window_from date not null,
    window_until date not null check (window_until > window_from),
    as_of date not null,
    model text not null,
    low numeric,
    point numeric not null,
    high numeric,
    made_at timestamp with time zone not null,
    segment text,
    low_95 numeric,
    high_95 numeric,
    baseline numeric,
    primary key (task, model_version, subject, figure, window_from, window_until),
    check (low <= point and point <= high),
    check (low_95 <= low and high <= high_95)
);

comment on table prediction_log is 'Every prediction as it was made, so that it can be judged once its window has passed. One row a prediction.';
comment on column prediction_log.task is 'The table that held it.';
comment on column prediction_log.model_version is 'SHA-256 of the code, settings and inputs that made it: the same predictions are kept once.';
comment on column prediction_log.subject is 'The customer, or the kind and the series.';
comment on column prediction_log.figure is 'What is predicted: purchases, sales, probability, rank, or an amount by period and horizon.';
comment on column prediction_log.window_from is 'First day of what is predicted.';
comment on column prediction_log.window_until is 'The first day after it: from then on the prediction can be judged.';
comment on column prediction_log.as_of is 'The moment that it was predicted from.';
comment on column prediction_log.model is 'Model or method.';
comment on column prediction_log.low is 'Lower end of its 80 % interval. NULL if it has none.';
comment on column prediction_log.point is 'The prediction.';
comment on column prediction_log.high is 'Upper end of the interval.';
comment on column prediction_log.made_at is 'When it was first made.';
comment on column prediction_log.segment is 'Segment of the customer as of the moment, of risks and ranks. NULL for other predictions, and for those made before it was kept.';
comment on column prediction_log.low_95 is 'Lower end of its 95 % interval. NULL if it has none, or was made before it was kept.';
comment on column prediction_log.high_95 is 'Upper end of the interval.';
comment on column prediction_log.baseline is 'What the baseline said then: the same figure; of risks the days since the last purchase, of ranks the orders. NULL if it was made before that was kept.';
