-- Findings of checks can be accepted, up to a number.
create table lgs.accepted_checks (
    table_name text not null,
    check_name text not null,
    violating_rows bigint not null check (violating_rows > 0),
    accepted_at timestamp with time zone not null,
    primary key (table_name, check_name)
);

comment on table lgs.accepted_checks is 'What lgs accept acknowledges: known oddities of the data, of which a check need not warn again. One row a check.';
comment on column lgs.accepted_checks.table_name is 'Name of the table that the check judges.';
comment on column lgs.accepted_checks.check_name is 'Name of the check.';
comment on column lgs.accepted_checks.violating_rows is 'The check holds as long as it finds no more rows than these.';
comment on column lgs.accepted_checks.accepted_at is 'When the number was last accepted.';
