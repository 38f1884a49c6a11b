-- Customers whom tools are asked to delete, and customers whom a reading could not look for.
alter table lgs.activation_changes drop constraint activation_changes_operation_check;
alter table lgs.activation_changes add constraint activation_changes_operation_check check (
    operation in ('add', 'update', 'remove', 'erase')
);
alter table lgs.activation_changes add column remote_id text;
alter table lgs.activation_changes add column may_have_arrived boolean not null default false;

comment on column lgs.activation_changes.operation is 'add, update, remove (from the list) or erase (delete the person).';
comment on column lgs.activation_changes.answer is 'Why it was rejected or withheld, or what the destination said of a deletion. NULL otherwise.';
comment on column lgs.activation_changes.remote_id is 'What the destination calls the customer. NULL if by their number, or if it has not said.';
comment on column lgs.activation_changes.may_have_arrived is 'Whether it was sent without an answer before it was withheld.';
comment on column lgs.activation_plans.audience is 'Audience. Empty for a deletion, which is from every list.';
comment on column lgs.activation_plans.removes is 'Customers whom the destination holds and should not, or is asked to delete.';

alter table lgs.list_drift add column unknown bigint check (unknown >= 0);

comment on column lgs.list_drift.unknown is 'Customers who could not be looked for: the destination never said what it calls them. NULL for readings of before it was counted.';
