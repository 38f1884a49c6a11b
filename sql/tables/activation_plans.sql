-- kept: facts that no dump brings back
create table activation_plans (
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
    ended_at timestamp with time zone,
    place text,
    hashes_emails boolean not null default false,
    allowed jsonb not null default '{}',
    applied_by text,
    applied_at timestamp with time zone
);

comment on table activation_plans is 'What was planned to be sent to a destination. One row a plan.';
comment on column activation_plans.plan is 'Number of the plan.';
comment on column activation_plans.destination is 'Destination.';
comment on column activation_plans.audience is 'Audience. Empty for a deletion, which is from every list.';
comment on column activation_plans.audience_version is 'Version of the audience. Empty for a plan by which customers leave, whatever the audience is.';
comment on column activation_plans.publication is 'Version of audience_members.';
comment on column activation_plans.adds is 'Members whom the destination does not hold.';
comment on column activation_plans.updates is 'Members whose fields or contact have changed.';
comment on column activation_plans.removes is 'Customers whom the destination holds and should not, or is asked to delete.';
comment on column activation_plans.left_out is 'How many members are not sent, by reason.';
comment on column activation_plans.held_before is 'Customers whom the destination had confirmed when the plan was made.';
comment on column activation_plans.digest is 'SHA-256 of the changes: the same members give the same, in any order.';
comment on column activation_plans.state is 'planned, applying, applied, partial (rows were rejected or withheld), refused (by a guard) or expired.';
comment on column activation_plans.refusal is 'What a guard refused, with the figures. NULL if nothing.';
comment on column activation_plans.made_by is 'Account and login that made the plan.';
comment on column activation_plans.made_at is 'When it was made.';
comment on column activation_plans.ended_at is 'When it was applied in full, refused or expired. NULL until then.';
comment on column activation_plans.place is 'HMAC-SHA256, under LGS_CONTACT_KEY, of where it may go: the account, list, URL or folder. NULL if to any.';
comment on column activation_plans.hashes_emails is 'Whether addresses leave as hashes.';
comment on column activation_plans.allowed is 'What somebody allowed it to do beyond its guards: so many removals or adds, or to which place it may go.';
comment on column activation_plans.applied_by is 'Account and login that first began to apply it. NULL if nobody did, or if it was not recorded.';
comment on column activation_plans.applied_at is 'When that was.';
