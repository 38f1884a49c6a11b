-- Who applied a plan, and what somebody allowed it to do beyond its guards; and people on lists who may not be written to.
alter table lgs.activation_plans add column allowed jsonb not null default '{}';
alter table lgs.activation_plans add column applied_by text;
alter table lgs.activation_plans add column applied_at timestamp with time zone;
update lgs.activation_plans as plans
set applied_at = (select min(sent_at) from lgs.activation_receipts where plan = plans.plan);

comment on column lgs.activation_plans.held_before is 'Customers whom the destination had confirmed when the plan was made.';
comment on column lgs.activation_plans.made_by is 'Account and login that made the plan.';
comment on column lgs.activation_plans.allowed is 'What somebody allowed it to do beyond its guards: so many removals or adds, or to which place it may go.';
comment on column lgs.activation_plans.applied_by is 'Account and login that first began to apply it. NULL if nobody did, or if it was not recorded.';
comment on column lgs.activation_plans.applied_at is 'When that was.';

alter table lgs.list_drift add column barred bigint check (barred >= 0);

comment on column lgs.list_drift.barred is 'Of those who are not ours, people who may not be written to. NULL for readings of before it was counted.';
comment on column lgs.list_drift.held is 'Customers whom we put there.';
comment on column lgs.list_drift.missing is 'Customers whom we put there and who were not there.';
comment on table lgs.destination_members is 'Whom we put on the lists of each destination. One row a destination, audience and customer.';
