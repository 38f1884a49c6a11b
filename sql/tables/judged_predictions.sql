-- derived: rebuilt at will from other tables
create table judged_predictions (
    task text collate "C" not null check (task in ('customer_value', 'churn_risk', 'slipping', 'forecasts')),
    as_of date not null,
    subject text collate "C" not null,
    figure text collate "C" not null,
    window_from date not null,
    window_until date not null,
    model text collate "C" not null,
    segment text collate "C",
    low_95 numeric,
    low numeric,
    point numeric not null,
    high numeric,
    high_95 numeric,
    baseline numeric,
    actual numeric not null,
    primary key (task, as_of, subject, figure, window_from, window_until)
);

comment on table judged_predictions is 'Predictions as they were made, and what came: those of prediction_log whose window is over; of those made several times from one moment, the latest; of customers, those of the last year of moments whose window of that length is over. What came is taken from the lines, whichever products sell best now; Other countries are those that were not forecast by name. A forecast of a month without any line, or of a week of one, is not judged: its lines are taken as missing. One row a prediction.';
comment on column judged_predictions.task is 'The table that held it.';
comment on column judged_predictions.as_of is 'The moment that it was predicted from.';
comment on column judged_predictions.subject is 'The customer, or the kind and the series.';
comment on column judged_predictions.figure is 'What was predicted, as in prediction_log.';
comment on column judged_predictions.window_from is 'First day of what was predicted.';
comment on column judged_predictions.window_until is 'The first day after it.';
comment on column judged_predictions.model is 'Model or method.';
comment on column judged_predictions.segment is 'Segment of the customer when it was made, as in prediction_log.';
comment on column judged_predictions.low_95 is 'Lower end of its 95 % interval.';
comment on column judged_predictions.low is 'Lower end of its 80 % interval. NULL if it had none.';
comment on column judged_predictions.point is 'The prediction.';
comment on column judged_predictions.high is 'Upper end of the 80 % interval.';
comment on column judged_predictions.high_95 is 'Upper end of the 95 % interval.';
comment on column judged_predictions.baseline is 'What the baseline said then, as in prediction_log.';
comment on column judged_predictions.actual is 'What came: purchase days, sales or the amount; of probabilities and ranks, 1 if it happened to the customer, else 0. What sold nothing counts as 0; a customer of whom no sale is left has slipped.';
