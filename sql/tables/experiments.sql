-- kept: facts that no dump brings back
create table experiments (
    experiment text primary key,
    declaration text not null,
    version text not null check (version ~ '^[0-9a-f]{64}$'),
    audience text not null,
    audience_version text not null,
    metric text not null,
    days integer not null check (days > 0),
    share numeric not null check (share > 0 and share < 1),
    salt text not null check (salt ~ '^[0-9a-f]{32}$'),
    cap numeric,
    underpowered text,
    started_by text not null,
    started_at timestamp with time zone not null,
    stopped_at timestamp with time zone,
    stopped_because text check ((stopped_at is null) = (stopped_because is null)),
    enrol text not null check (enrol in ('once', 'waves')),
    power double precision check (power >= 0 and power <= 1),
    doubled_invoices text
);

comment on table experiments is 'What was declared before each experiment began, and is not changed after. One row an experiment.';
comment on column experiments.experiment is 'Name of the experiment: that of its file.';
comment on column experiments.declaration is 'The file, as it was when the experiment started.';
comment on column experiments.version is 'SHA-256 of the file.';
comment on column experiments.audience is 'Audience that customers are drawn from.';
comment on column experiments.audience_version is 'Version of the audience.';
comment on column experiments.metric is 'The primary metric, by which the experiment is judged.';
comment on column experiments.days is 'Days for which each customer is observed.';
comment on column experiments.share is 'Share of customers who are treated; the others are the control group.';
comment on column experiments.salt is 'Random number of the draw: with it, anybody can draw the arms again.';
comment on column experiments.cap is 'Net revenue of a customer, or refunds, beyond which the p-value counts no more, in pounds sterling, from earlier data. NULL if there was none.';
comment on column experiments.underpowered is 'Why it was started though it can hardly show what it asks. NULL if it can.';
comment on column experiments.started_by is 'Login that started it.';
comment on column experiments.started_at is 'When it was started.';
comment on column experiments.stopped_at is 'When it was stopped: the control group is held out no longer. NULL while it runs.';
comment on column experiments.stopped_because is 'Why it was stopped. NULL while it runs.';
comment on column experiments.enrol is 'Whether members are drawn once, at the start, or in waves, as they enter the audience.';
comment on column experiments.power is 'How likely the declared change was to show, as foreseen at the start, in 0..1. NULL if the data could not tell, or before this was recorded.';
comment on column experiments.doubled_invoices is 'The setting doubled_invoices of the data at the start. NULL before this was recorded.';
