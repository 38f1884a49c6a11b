-- derived: rebuilt at will from other tables
create table logged_predictions (
    task text collate "C" not null,
    as_of date not null,
    model text collate "C" not null,
    model_version text collate "C" not null,
    predictions bigint not null check (predictions > 0),
    made_at timestamp with time zone not null,
    judged_from date not null,
    primary key (task, as_of, model, model_version)
);

comment on table logged_predictions is 'What prediction_log holds. Building it keeps the predictions of the other tables there, each once. One row a task, moment, model and version.';
comment on column logged_predictions.task is 'The table that held the predictions.';
comment on column logged_predictions.as_of is 'The moment that they were made from.';
comment on column logged_predictions.model is 'Model or method.';
comment on column logged_predictions.model_version is 'What made them.';
comment on column logged_predictions.predictions is 'How many there are.';
comment on column logged_predictions.made_at is 'When they were first made.';
comment on column logged_predictions.judged_from is 'The day from which the first of them can be judged.';
