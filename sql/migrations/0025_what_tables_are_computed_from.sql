-- What Python computed a table from: while that is the same, the table need not be computed again.
alter table lgs.publications add column given text check (given ~ '^[0-9a-f]{64}$');

comment on column lgs.publications.published_at is 'When the table was built, or found to be as it would be built.';
comment on column lgs.publications.given is 'SHA-256 of all that Python computed the rows from: as long as that is the same, they stay. NULL if the table is always rebuilt.';
