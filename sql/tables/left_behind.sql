-- kept: facts that no dump brings back
create table left_behind (
    destination text not null,
    audience text not null,
    customer_id integer not null,
    place text not null,
    left_at timestamp with time zone not null,
    primary key (destination, audience, customer_id, place)
);

comment on table left_behind is 'Whom a list held at a place that its destination has left: nothing reaches them there any more. One row a destination, audience, customer and place.';
comment on column left_behind.destination is 'Destination.';
comment on column left_behind.audience is 'Audience.';
comment on column left_behind.customer_id is 'Customer.';
comment on column left_behind.place is 'The former place, as in activation_plans.';
comment on column left_behind.left_at is 'When they were planned for another place, or removed there.';
