-- What is sent to destinations: plans, their changes, a receipt for each request, and whom each destination holds.
create table lgs.activation_plans (
    plan bigint generated always as identity primary key,
    destination text not null,
    audience text not null,
    audience_version text not null,
    publication text not null,
    adds bigint not null check (adds >= 0),
    updates bigint not null check (updates >= 0),
    removes bigint not null check (removes >= 0),
    left_out jsonb not null,
    held_before bigint not null check (held_before >= 0),
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    state text not null check (state in ('planned', 'applying', 'applied', 'partial', 'refused', 'expired')),
    refusal text,
    made_by text not null,
    made_at timestamp with time zone not null,
    ended_at timestamp with time zone
);

comment on table lgs.activation_plans is 'What was planned to be sent to a destination. One row a plan.';
comment on column lgs.activation_plans.plan is 'Number of the plan.';
comment on column lgs.activation_plans.destination is 'Destination.';
comment on column lgs.activation_plans.audience is 'Audience.';
comment on column lgs.activation_plans.audience_version is 'Version of the audience.';
comment on column lgs.activation_plans.publication is 'Version of audience_members.';
comment on column lgs.activation_plans.adds is 'Members whom the destination does not hold.';
comment on column lgs.activation_plans.updates is 'Members whose fields or contact have changed.';
comment on column lgs.activation_plans.removes is 'Customers whom the destination holds and should not.';
comment on column lgs.activation_plans.left_out is 'How many members are not sent, by reason.';
comment on column lgs.activation_plans.held_before is 'Customers whom the destination held when the plan was made.';
comment on column lgs.activation_plans.digest is 'SHA-256 of the changes: the same members give the same, in any order.';
comment on column lgs.activation_plans.state is 'planned, applying, applied, partial (rows were rejected or withheld), refused (by a guard) or expired.';
comment on column lgs.activation_plans.refusal is 'What a guard refused, with the figures. NULL if nothing.';
comment on column lgs.activation_plans.made_by is 'Login that made the plan.';
comment on column lgs.activation_plans.made_at is 'When it was made.';
comment on column lgs.activation_plans.ended_at is 'When it was applied in full, refused or expired. NULL until then.';

create table lgs.activation_changes (
    plan bigint not null,
    customer_id integer not null,
    operation text not null check (operation in ('add', 'update', 'remove')),
    cause text not null,
    fields jsonb not null,
    payload text not null,
    batch integer not null check (batch > 0),
    state text not null check (state in ('planned', 'sending', 'accepted', 'rejected', 'withheld')),
    answer text,
    answered_at timestamp with time zone,
    primary key (plan, customer_id)
);

create index on lgs.activation_changes (plan, batch);

comment on table lgs.activation_changes is 'The changes of each plan, and what became of them. One row a plan and customer; no address.';
comment on column lgs.activation_changes.plan is 'Number of the plan.';
comment on column lgs.activation_changes.customer_id is 'Customer.';
comment on column lgs.activation_changes.operation is 'add, update or remove.';
comment on column lgs.activation_changes.cause is 'Why.';
comment on column lgs.activation_changes.fields is 'What the destination is told of the customer, beside the contact.';
comment on column lgs.activation_changes.payload is 'HMAC-SHA256 of all that the destination is told, under LGS_CONTACT_KEY.';
comment on column lgs.activation_changes.batch is 'Number of the batch in the plan.';
comment on column lgs.activation_changes.state is 'planned, sending, accepted, rejected (by the destination) or withheld (it may no longer be sent as planned).';
comment on column lgs.activation_changes.answer is 'Why it was rejected or withheld. NULL otherwise.';
comment on column lgs.activation_changes.answered_at is 'When its state became final. NULL until then.';

create table lgs.activation_receipts (
    receipt bigint generated always as identity primary key,
    plan bigint not null,
    batch integer not null,
    attempt integer not null check (attempt > 0),
    idempotency_key text not null,
    request text not null,
    row_count bigint not null,
    sent_at timestamp with time zone not null,
    answered_at timestamp with time zone not null,
    status integer,
    outcome text not null
);

create index on lgs.activation_receipts (plan);

-- Only ever added to, by its owner, too.
revoke update, delete, truncate on lgs.activation_receipts from current_user;

comment on table lgs.activation_receipts is 'Every request to a destination and its answer. Only ever added to. One row an attempt; no address.';
comment on column lgs.activation_receipts.receipt is 'Number of the receipt.';
comment on column lgs.activation_receipts.plan is 'Number of the plan.';
comment on column lgs.activation_receipts.batch is 'Number of the batch in the plan.';
comment on column lgs.activation_receipts.attempt is 'Number of the attempt.';
comment on column lgs.activation_receipts.idempotency_key is 'By which the receiver tells a repeat.';
comment on column lgs.activation_receipts.request is 'HMAC-SHA256 of what was sent, under LGS_CONTACT_KEY.';
comment on column lgs.activation_receipts.row_count is 'Changes in the request.';
comment on column lgs.activation_receipts.sent_at is 'When it was sent.';
comment on column lgs.activation_receipts.answered_at is 'When the answer, or its absence, was known.';
comment on column lgs.activation_receipts.status is 'Status of the answer. NULL without an answer.';
comment on column lgs.activation_receipts.outcome is 'What came of it, in words.';

create table lgs.destination_members (
    destination text not null,
    audience text not null,
    customer_id integer not null,
    payload text not null,
    plan bigint not null,
    confirmed_at timestamp with time zone not null,
    primary key (destination, audience, customer_id)
);

comment on table lgs.destination_members is 'Whom each destination holds by our doing. One row a destination, audience and customer.';
comment on column lgs.destination_members.destination is 'Destination.';
comment on column lgs.destination_members.audience is 'Audience.';
comment on column lgs.destination_members.customer_id is 'Customer.';
comment on column lgs.destination_members.payload is 'What the destination was last told, as in activation_changes.';
comment on column lgs.destination_members.plan is 'The plan that told it.';
comment on column lgs.destination_members.confirmed_at is 'When the destination confirmed it.';
