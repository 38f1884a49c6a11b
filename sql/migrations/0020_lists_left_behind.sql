-- The place that each customer was sent to, and whom a destination has left behind at another.
alter table lgs.destination_members add column place text;
update lgs.destination_members as held
set place = plans.place
from lgs.activation_plans as plans
where plans.plan = held.plan;

comment on column lgs.destination_members.place is 'The place that they were sent to, as in activation_plans. NULL if it was not recorded: it then counts as the present one.';

create table lgs.left_behind (
    destination text not null,
    audience text not null,
    customer_id integer not null,
    place text not null,
    left_at timestamp with time zone not null,
    primary key (destination, audience, customer_id, place)
);

comment on table lgs.left_behind is 'Whom a list held at a place that its destination has left: nothing reaches them there any more. One row a destination, audience, customer and place.';
comment on column lgs.left_behind.destination is 'Destination.';
comment on column lgs.left_behind.audience is 'Audience.';
comment on column lgs.left_behind.customer_id is 'Customer.';
comment on column lgs.left_behind.place is 'The former place, as in activation_plans.';
comment on column lgs.left_behind.left_at is 'When they were planned for another place, or removed there.';

comment on column lgs.activation_plans.audience_version is 'Version of the audience. Empty for a plan by which customers leave, whatever the audience is.';
