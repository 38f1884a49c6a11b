-- kept: facts that no dump brings back
create table list_drift (
    destination text not null,
    audience text not null,
    checked_at timestamp with time zone not null,
    held bigint not null check (held >= 0),
    found bigint not null check (found >= 0),
    missing bigint not null check (missing >= 0),
    not_ours bigint not null check (not_ours >= 0),
    objected bigint not null check (objected >= 0),
    unknown bigint check (unknown >= 0),
    barred bigint check (barred >= 0),
    primary key (destination, audience, checked_at)
);

comment on table list_drift is 'What each list was found to hold when it was read back. One row a destination, audience and reading.';
comment on column list_drift.destination is 'Destination.';
comment on column list_drift.audience is 'Audience.';
comment on column list_drift.checked_at is 'When the list was read.';
comment on column list_drift.held is 'Customers whom we put there.';
comment on column list_drift.found is 'People whom it held.';
comment on column list_drift.missing is 'Customers whom we put there and who were not there.';
comment on column list_drift.not_ours is 'People whom somebody else put there. They are left alone.';
comment on column list_drift.objected is 'Customers put there by us who unsubscribed or complained there. They are suppressed here, too.';
comment on column list_drift.unknown is 'Customers who could not be looked for: the destination never said what it calls them. NULL for readings of before it was counted.';
comment on column list_drift.barred is 'Of those who are not ours, people who may not be written to. NULL for readings of before it was counted.';
