-- What people attached to a table is told from what its contract did by the record of the latter.
alter table lgs.publications add column made_with jsonb;

comment on column lgs.publications.made_with is 'What the contract attached to the table: comments, indexes and the like. All else was put there by people, and is kept when the table is rebuilt. NULL if it was built before this was recorded, or is not in PostgreSQL.';
