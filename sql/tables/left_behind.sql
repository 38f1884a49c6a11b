-- kept: facts that no dump brings back
create table left_behind (
    destination text not null,
    audience text not null,
    customer_id integer not null,
    place text not null,
    left_at timestamp with time zone not null,
    plan bigint not null,
    confirmed_at timestamp with time zone not null,
    remote_id text,
    emptied_at timestamp with time zone,
    emptied_by text,
    primary key (destination, audience, customer_id, place)
);

comment on table left_behind is 'Whom a list holds at a place that its destination has left: nothing reaches them there, unless it is the present one again. One row a destination, audience, customer and place.';
comment on column left_behind.destination is 'Destination.';
comment on column left_behind.audience is 'Audience.';
comment on column left_behind.customer_id is 'Customer.';
comment on column left_behind.place is 'The former place, as in activation_plans. Empty if it was not recorded.';
comment on column left_behind.left_at is 'When they were planned for another place, or removed there.';
comment on column left_behind.plan is 'As in destination_members. 0 if it was not recorded.';
comment on column left_behind.confirmed_at is 'As in destination_members. As left_at if it was not recorded.';
comment on column left_behind.remote_id is 'As in destination_members.';
comment on column left_behind.emptied_at is 'When somebody said that they had emptied that list by hand. NULL until then.';
comment on column left_behind.emptied_by is 'Login that said so.';
