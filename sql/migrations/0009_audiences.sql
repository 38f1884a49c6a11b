-- Audiences: who was in them, since when and until when, and who is in none.
create table lgs.audience_memberships (
    membership bigint generated always as identity primary key,
    audience text not null,
    customer_id integer not null,
    entered_at timestamp not null,
    left_at timestamp check (left_at >= entered_at),
    entered_version text not null,
    entered_by text not null,
    left_by text check ((left_at is null) = (left_by is null)),
    entry_recorded_at timestamp with time zone not null,
    exit_recorded_at timestamp with time zone
);

create unique index on lgs.audience_memberships (audience, customer_id) where left_at is null;

comment on table lgs.audience_memberships is 'Since when a customer is in an audience, until when, and by which data. One row a stay; a customer who returns has another.';
comment on column lgs.audience_memberships.membership is 'Number of the stay.';
comment on column lgs.audience_memberships.audience is 'Audience.';
comment on column lgs.audience_memberships.customer_id is 'Customer.';
comment on column lgs.audience_memberships.entered_at is 'Snapshot date of the data by which the customer entered.';
comment on column lgs.audience_memberships.left_at is 'Snapshot date of the data by which the customer left. NULL for a member.';
comment on column lgs.audience_memberships.entered_version is 'Version of the audience by which the customer entered.';
comment on column lgs.audience_memberships.entered_by is 'Version of audience_members in which the customer first was.';
comment on column lgs.audience_memberships.left_by is 'Version of audience_members in which the customer no longer was, or why else the stay ended. NULL for a member.';
comment on column lgs.audience_memberships.entry_recorded_at is 'When the entry was recorded.';
comment on column lgs.audience_memberships.exit_recorded_at is 'When the exit was recorded. NULL for a member.';

create table lgs.marketing_exclusions (
    customer_id integer primary key,
    reason text not null check (reason in ('objected', 'forgotten')),
    since timestamp with time zone not null
);

comment on table lgs.marketing_exclusions is 'Customers who are in no audience whatever its rule: they objected, or asked to be forgotten. One row a customer.';
comment on column lgs.marketing_exclusions.customer_id is 'Customer.';
comment on column lgs.marketing_exclusions.reason is 'objected or forgotten.';
comment on column lgs.marketing_exclusions.since is 'Since when.';
