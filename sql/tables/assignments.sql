-- kept: facts that no dump brings back
create table assignments (
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

create index on assignments (customer_id);

comment on table assignments is 'The arm of each customer in each experiment, for good: it stays when the customer leaves the audience. One row an experiment and customer.';
comment on column assignments.experiment is 'Name of the experiment.';
comment on column assignments.customer_id is 'Customer.';
comment on column assignments.wave is 'Number of the enrolment, from 1.';
comment on column assignments.block is 'Block within which the arms were drawn: customers who are alike.';
comment on column assignments.segment is 'Segment when the customer was assigned.';
comment on column assignments.arm is 'control, or the name of the treatment.';
comment on column assignments.counts_from is 'From when the customer''s purchases count, in the retailer''s local time.';
comment on column assignments.assigned_at is 'When the arm was drawn.';
