-- Whom a plan would have reached, had they not been in a control group: to compare with whom it did reach.
create table lgs.held_out (
    experiment text not null,
    customer_id integer not null,
    plan bigint not null,
    primary key (experiment, customer_id)
);

comment on table lgs.held_out is 'Customers of a control group whom a plan left out for that alone: those whom it would have reached. One row an experiment and customer.';
comment on column lgs.held_out.experiment is 'Name of the experiment.';
comment on column lgs.held_out.customer_id is 'Customer.';
comment on column lgs.held_out.plan is 'Number of the first such plan that was applied; the last one while none was.';
