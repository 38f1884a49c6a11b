-- derived: rebuilt at will from other tables
create table exposures (
    experiment text collate "C" not null,
    customer_id integer not null,
    arm text collate "C" not null,
    destination text collate "C" not null,
    audience text collate "C" not null,
    period text collate "C" not null check (period in ('before the draw', 'while it ran', 'rejected', 'after the stop')),
    reached_at timestamp with time zone not null,
    primary key (experiment, customer_id, destination, audience, period)
);

comment on table exposures is 'Whom a destination held, through any audience, from the draw of an experiment to the end of its windows, by the lists that had been sent when the table was built. One row per experiment, customer, destination, audience and period.';
comment on column exposures.experiment is 'Name of the experiment.';
comment on column exposures.customer_id is 'Customer.';
comment on column exposures.arm is 'control, which is contamination while it ran, or the name of the treatment.';
comment on column exposures.destination is 'Destination that held the customer.';
comment on column exposures.audience is 'Audience through which it did.';
comment on column exposures.period is 'before the draw, through the audience of the experiment; while it ran; rejected, where it did not take the customer while it ran; or after the stop, when the control group may be written to.';
comment on column exposures.reached_at is 'When it had first accepted, or rejected, the customer, by its answer.';
