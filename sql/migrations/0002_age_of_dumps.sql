-- The newest dump is the one that was written last. Of dumps that are loaded, it is known when they were loaded; those
-- that are still in the inbox are read again, and then it is known when they were written.
alter table lgs.dumps add column written_at timestamp with time zone;
update lgs.dumps set written_at = loaded_at;
alter table lgs.dumps alter column written_at set not null;

alter table lgs.dumps add column file_version text;
update lgs.dumps set file_version = '';
alter table lgs.dumps alter column file_version set not null;

comment on column lgs.dumps.last_invoice_at is 'Latest invoice_date in the dump. Decides between dumps that were written at the same time.';
comment on column lgs.dumps.loaded_at is 'When this version of the dump was first loaded.';
comment on column lgs.dumps.written_at is 'When the file was written, by its time of the last change; when it was loaded, if that time is unknown or cannot be right. The later dump is the newer.';
comment on column lgs.dumps.file_version is 'What tells the version of the file that was read from any other without reading it; empty if it is not known.';
