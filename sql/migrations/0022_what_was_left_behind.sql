-- What is left behind at a place is known as well as what is held: should the place be the present one again, it is held
-- again. And somebody can say that they have emptied it.
alter table lgs.left_behind add column plan bigint;
alter table lgs.left_behind add column confirmed_at timestamp with time zone;
alter table lgs.left_behind add column remote_id text;
alter table lgs.left_behind add column emptied_at timestamp with time zone;
alter table lgs.left_behind add column emptied_by text;
update lgs.left_behind set plan = 0, confirmed_at = left_at;
alter table lgs.left_behind alter column plan set not null;
alter table lgs.left_behind alter column confirmed_at set not null;

comment on table lgs.left_behind is 'Whom a list holds at a place that its destination has left: nothing reaches them there, unless it is the present one again. One row a destination, audience, customer and place.';
comment on column lgs.left_behind.place is 'The former place, as in activation_plans. Empty if it was not recorded.';
comment on column lgs.left_behind.plan is 'As in destination_members. 0 if it was not recorded.';
comment on column lgs.left_behind.confirmed_at is 'As in destination_members. As left_at if it was not recorded.';
comment on column lgs.left_behind.remote_id is 'As in destination_members.';
comment on column lgs.left_behind.emptied_at is 'When somebody said that they had emptied that list by hand. NULL until then.';
comment on column lgs.left_behind.emptied_by is 'Login that said so.';
