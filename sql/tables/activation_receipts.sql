-- kept: facts that no dump brings back
create table activation_receipts (
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

create index on activation_receipts (plan);

-- Only ever added to, by its owner, too.
revoke update, delete, truncate on activation_receipts from current_user;

comment on table activation_receipts is 'Every request to a destination and its answer. Only ever added to. One row an attempt; no address.';
comment on column activation_receipts.receipt is 'Number of the receipt.';
comment on column activation_receipts.plan is 'Number of the plan.';
comment on column activation_receipts.batch is 'Number of the batch in the plan.';
comment on column activation_receipts.attempt is 'Number of the attempt.';
comment on column activation_receipts.idempotency_key is 'By which the receiver tells a repeat.';
comment on column activation_receipts.request is 'HMAC-SHA256 of what was sent, under LGS_CONTACT_KEY.';
comment on column activation_receipts.row_count is 'Changes in the request.';
comment on column activation_receipts.sent_at is 'When it was sent.';
comment on column activation_receipts.answered_at is 'When the answer, or its absence, was known.';
comment on column activation_receipts.status is 'Status of the answer. NULL without an answer.';
comment on column activation_receipts.outcome is 'What came of it, in words.';
