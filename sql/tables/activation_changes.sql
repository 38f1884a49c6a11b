-- kept: facts that no dump brings back
create table activation_changes (
    plan bigint not null,
    customer_id integer not null,
    operation text not null check (operation in ('add', 'update', 'remove', 'erase')),
    cause text not null,
    fields jsonb not null,
    payload text not null,
    batch integer not null check (batch > 0),
    state text not null check (state in ('planned', 'sending', 'accepted', 'rejected', 'withheld')),
    answer text,
    answered_at timestamp with time zone,
    remote_id text,
    may_have_arrived boolean not null default false,
    primary key (plan, customer_id)
);

create index on activation_changes (plan, batch);

comment on table activation_changes is 'The changes of each plan, and what became of them. One row a plan and customer; no address.';
comment on column activation_changes.plan is 'Number of the plan.';
comment on column activation_changes.customer_id is 'Customer.';
comment on column activation_changes.operation is 'add, update, remove (from the list) or erase (delete the person).';
comment on column activation_changes.cause is 'Why.';
comment on column activation_changes.fields is 'What the destination is told of the customer, beside the contact.';
comment on column activation_changes.payload is 'HMAC-SHA256 of all that the destination is told, under LGS_CONTACT_KEY.';
comment on column activation_changes.batch is 'Number of the batch in the plan.';
comment on column activation_changes.state is 'planned, sending, accepted, rejected (by the destination) or withheld (it may no longer be sent as planned).';
comment on column activation_changes.answer is 'Why it was rejected or withheld, or what the destination said of a deletion. NULL otherwise.';
comment on column activation_changes.answered_at is 'When its state became final. NULL until then.';
comment on column activation_changes.remote_id is 'What the destination calls the customer. NULL if by their number, or if it has not said.';
comment on column activation_changes.may_have_arrived is 'Whether it was sent without an answer before it was withheld.';
