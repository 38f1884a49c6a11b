-- kept: facts that no dump can restore
create table accepted_checks (
    table_name text not null,
    check_name text not null,
    violating_rows bigint not null check (violating_rows > 0),
    accepted_at timestamp with time zone not null,
    primary key (table_name, check_name)
);

comment on table accepted_checks is 'Known oddities of the data, acknowledged with lgs accept: a check need not warn of them again. One row per check.';
comment on column accepted_checks.table_name is 'Name of the table that the check is on.';
comment on column accepted_checks.check_name is 'Name of the check.';
comment on column accepted_checks.violating_rows is 'The check passes as long as it finds no more rows than this.';
comment on column accepted_checks.accepted_at is 'When the number was last accepted.';
