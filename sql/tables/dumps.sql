-- kept: facts that no dump can restore
create table dumps (
    dump text primary key check (dump <> ''),
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
    format text not null,
    facts jsonb not null,
    bytes bigint not null check (bytes > 0),
    lines bigint not null check (lines > 0),
    rejected bigint not null check (rejected >= 0),
    first_invoice_at timestamp not null,
    last_invoice_at timestamp not null,
    loaded_at timestamp with time zone not null,
    run text not null,
    reader text not null,
    written_at timestamp with time zone not null,
    file_version text not null,
    check (first_invoice_at <= last_invoice_at)
);

comment on table dumps is 'The ledger of the dumps whose lines are in raw_invoices. One row per dump.';
comment on column dumps.dump is 'Name of the dump file; the partition key of raw_invoices.';
comment on column dumps.sha256 is 'SHA-256 of the uncompressed content. It tells a dump from any other, whatever the file is called.';
comment on column dumps.format is 'The kind of file: its format, encoding and compression.';
comment on column dumps.facts is 'How the file was read: which of its columns became which, the order of its dates, what was left out.';
comment on column dumps.bytes is 'Size of the file as it came, in bytes.';
comment on column dumps.lines is 'Invoice lines in the dump.';
comment on column dumps.rejected is 'Lines of the dump that cannot be invoice lines. They are in rejected_lines.';
comment on column dumps.first_invoice_at is 'Earliest invoice_date in the dump.';
comment on column dumps.last_invoice_at is 'Latest invoice_date in the dump. Decides between dumps that were written at the same time.';
comment on column dumps.loaded_at is 'When this version of the dump was first loaded.';
comment on column dumps.run is 'Id of the Dagster run that loaded it last.';
comment on column dumps.reader is 'Version of the code that read the dump. Under a different one it is read again.';
comment on column dumps.written_at is 'When the file was last modified; when it was loaded, if that time is unknown or cannot be right. The later dump is the newer.';
comment on column dumps.file_version is 'Tells this version of the file from any other without reading it; empty if it is not known.';
