-- derived: rebuilt at will from other tables
create table monthly_reports (
    month date primary key,
    data_until timestamp not null,
    build text collate "C" not null,
    characters bigint not null check (characters > 0),
    made_at timestamp with time zone not null
);

comment on table monthly_reports is 'What report_archive holds. Building it keeps the report of the last whole month there, in place of an earlier one of that month. One row a month.';
comment on column monthly_reports.month is 'First day of the month at whose end the report looks.';
comment on column monthly_reports.data_until is 'Time of the last invoice that it knew.';
comment on column monthly_reports.build is 'What tells the tables that it was made from.';
comment on column monthly_reports.characters is 'Length of the page.';
comment on column monthly_reports.made_at is 'When it was made.';
