-- kept: facts that no dump brings back
create table destination_members (
    destination text not null,
    audience text not null,
    customer_id integer not null,
    payload text not null,
    plan bigint not null,
    confirmed_at timestamp with time zone not null,
    remote_id text,
    place text,
    primary key (destination, audience, customer_id)
);

comment on table destination_members is 'Whom we put on the lists of each destination. One row a destination, audience and customer.';
comment on column destination_members.destination is 'Destination.';
comment on column destination_members.audience is 'Audience.';
comment on column destination_members.customer_id is 'Customer.';
comment on column destination_members.payload is 'What the destination was last told, as in activation_changes.';
comment on column destination_members.plan is 'The plan that told it.';
comment on column destination_members.confirmed_at is 'When the destination confirmed it.';
comment on column destination_members.remote_id is 'What the destination calls the customer. NULL if by their number.';
comment on column destination_members.place is 'The place that they were sent to, as in activation_plans. NULL if it was not recorded: it then counts as the present one.';
