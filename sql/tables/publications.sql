-- kept: facts that no dump can restore
create table publications (
    table_name text primary key,
    version text not null check (version ~ '^[0-9a-f]{64}$'),
    rules text not null check (rules ~ '^[0-9a-f]{64}$'),
    dumps jsonb,
    settings jsonb not null,
    row_count bigint not null check (row_count >= 0),
    published_at timestamp with time zone not null,
    made_with jsonb,
    given text check (given ~ '^[0-9a-f]{64}$')
);

comment on table publications is 'What each table was last built from, written in the transaction that builds it. One row per table.';
comment on column publications.table_name is 'Name of the table.';
comment on column publications.version is 'SHA-256 of the code, the contract, the settings and the versions of the inputs that the table was built with.';
comment on column publications.rules is 'SHA-256 of the code, the contract and the settings alone: the same as long as only inputs change.';
comment on column publications.dumps is 'The dumps whose lines the table holds, each with what tells it from any other. NULL for a table that is always rebuilt in full, as it holds neither lines nor totals of invoices.';
comment on column publications.settings is 'The settings of the run that built the table.';
comment on column publications.row_count is 'Rows in the table.';
comment on column publications.published_at is 'When the table was built, or found to be as it would be built.';
comment on column publications.made_with is 'What the contract attached to the table: comments, indexes and the like. Everything else was added by people, and is kept when the table is rebuilt. NULL if it was built before this was recorded, or is not in PostgreSQL.';
comment on column publications.given is 'SHA-256 of all that Python computed the rows from: as long as that is the same, they stay. NULL if the table is always rebuilt.';
