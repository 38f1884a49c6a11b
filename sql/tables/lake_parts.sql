-- kept: facts that no dump can restore
create table lake_parts (
    location text primary key,
    table_name text not null,
    dump text,
    files jsonb not null default '[]',
    row_count bigint not null default 0 check (row_count >= 0),
    bytes bigint not null default 0 check (bytes >= 0),
    begun_at timestamp with time zone not null,
    published_at timestamp with time zone,
    retired_at timestamp with time zone,
    check (retired_at is null or published_at is not null)
);

-- Of the other tables, whose dump is NULL, there may be two.
create unique index lake_parts_current on lake_parts (table_name, dump)
where published_at is not null and retired_at is null;

comment on table lake_parts is 'The ledger of the lake, if there is one: which Parquet files make up which table. One row per folder of files.';
comment on column lake_parts.location is 'The folder, relative to the place of the lake. Each has a new name, and no file in it ever changes.';
comment on column lake_parts.table_name is 'The table that the files are a part of.';
comment on column lake_parts.dump is 'For raw_invoices, the dump whose lines the files hold. NULL for the other tables, where a second folder holds the rows of the invoices that changed last.';
comment on column lake_parts.files is 'Names of the files in the folder, in the order of their rows.';
comment on column lake_parts.row_count is 'Rows in the files.';
comment on column lake_parts.bytes is 'Size of the files.';
comment on column lake_parts.begun_at is 'When the first file was about to be written.';
comment on column lake_parts.published_at is 'When the files became part of the table. NULL while they are being written, and after a failed write.';
comment on column lake_parts.retired_at is 'When others took their place. They are deleted some time later, because readers may still be using them.';
