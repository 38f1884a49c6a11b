-- derived: rebuilt at will from other tables
create table audience_history (
    audience text collate "C" not null,
    snapshot_date timestamp not null,
    entered bigint not null check (entered >= 0),
    left_since bigint not null check (left_since >= 0),
    members bigint not null check (members >= 0),
    primary key (audience, snapshot_date)
);

comment on table audience_history is 'How each audience changed from one state of the data to the next. One row an audience and snapshot at which somebody entered or left.';
comment on column audience_history.audience is 'Audience.';
comment on column audience_history.snapshot_date is 'The snapshot date of the data by which they entered or left.';
comment on column audience_history.entered is 'Customers who entered.';
comment on column audience_history.left_since is 'Customers who left.';
comment on column audience_history.members is 'Members afterwards.';
