-- Experiments: what was declared before each began, and who was drawn into which arm.
create table lgs.experiments (
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
    stopped_because text check ((stopped_at is null) = (stopped_because is null))
);

comment on table lgs.experiments is 'What was declared before each experiment began, and is not changed after. One row an experiment.';
comment on column lgs.experiments.experiment is 'Name of the experiment: that of its file.';
comment on column lgs.experiments.declaration is 'The file, as it was when the experiment started.';
comment on column lgs.experiments.version is 'SHA-256 of the file.';
comment on column lgs.experiments.audience is 'Audience that customers are drawn from.';
comment on column lgs.experiments.audience_version is 'Version of the audience.';
comment on column lgs.experiments.metric is 'The primary metric, by which the experiment is judged.';
comment on column lgs.experiments.days is 'Days for which each customer is observed.';
comment on column lgs.experiments.share is 'Share of customers who are treated; the others are the control group.';
comment on column lgs.experiments.salt is 'Random number of the draw: with it, anybody can draw the arms again.';
comment on column lgs.experiments.cap is 'Net revenue of a customer, or refunds, beyond which the p-value counts no more, in pounds sterling, from earlier data. NULL if there was none.';
comment on column lgs.experiments.underpowered is 'Why it was started though it can hardly show what it asks. NULL if it can.';
comment on column lgs.experiments.started_by is 'Login that started it.';
comment on column lgs.experiments.started_at is 'When it was started.';
comment on column lgs.experiments.stopped_at is 'When it was stopped: the control group is held out no longer. NULL while it runs.';
comment on column lgs.experiments.stopped_because is 'Why it was stopped. NULL while it runs.';

create table lgs.assignments (
    experiment text not null,
    customer_id integer not null,
    wave integer not null check (wave > 0),
    block text not null,
    segment text not null,
    arm text not null,
    counts_from timestamp not null,
    assigned_at timestamp with time zone not null,
    primary key (experiment, customer_id)
);

create index on lgs.assignments (customer_id);

comment on table lgs.assignments is 'The arm of each customer in each experiment, for good: it stays when the customer leaves the audience. One row an experiment and customer.';
comment on column lgs.assignments.experiment is 'Name of the experiment.';
comment on column lgs.assignments.customer_id is 'Customer.';
comment on column lgs.assignments.wave is 'Number of the enrolment, from 1.';
comment on column lgs.assignments.block is 'Block within which the arms were drawn: customers who are alike.';
comment on column lgs.assignments.segment is 'Segment when the customer was assigned.';
comment on column lgs.assignments.arm is 'control, or the name of the treatment.';
comment on column lgs.assignments.counts_from is 'From when the customer''s purchases count, in the retailer''s local time.';
comment on column lgs.assignments.assigned_at is 'When the arm was drawn.';
