-- kept: facts that no dump brings back
create table check_results (
    table_name text not null,
    check_name text not null,
    degree text not null check (degree in ('blocking', 'error', 'warning')),
    violating_rows bigint not null check (violating_rows >= 0),
    accepted_rows bigint not null check (accepted_rows >= 0),
    checked_at timestamp with time zone not null,
    primary key (table_name, check_name)
);

comment on table check_results is 'What each check found when it last ran, for readers who do not open Dagster. One row a check.';
comment on column check_results.table_name is 'Name of the table that the check judges.';
comment on column check_results.check_name is 'Name of the check.';
comment on column check_results.degree is 'What a violation means: blocking, error or warning.';
comment on column check_results.violating_rows is 'Rows that violate it.';
comment on column check_results.accepted_rows is 'Up to so many of them are accepted: it holds for no more.';
comment on column check_results.checked_at is 'When it ran. Before the table was last built: it has not run since.';
