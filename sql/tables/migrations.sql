-- kept: facts that no dump can restore
create table migrations (
    name text primary key check (name ~ '^[0-9]{4}_[a-z0-9_]+$'),
    applied_at timestamp with time zone not null
);

comment on table migrations is 'The steps of sql/migrations that this warehouse has taken, or was created with. One row per step.';
comment on column migrations.name is 'Name of the file, without its ending.';
comment on column migrations.applied_at is 'When the step was taken, or the warehouse created.';
