-- kept: facts that no dump brings back
create table report_archive (
    month date primary key check (month = date_trunc('month', month)),
    data_until timestamp not null,
    build text not null,
    html text not null check (html <> ''),
    made_at timestamp with time zone not null
);

comment on table report_archive is 'The last printable report of each month: as it was when the month was the last whole one, or when its data was last corrected. One row a month.';
comment on column report_archive.month is 'First day of the month at whose end the report looks.';
comment on column report_archive.data_until is 'Time of the last invoice that it knew.';
comment on column report_archive.build is 'What tells the tables that it was made from.';
comment on column report_archive.html is 'The report: a page that needs nothing else, and prints on A4.';
comment on column report_archive.made_at is 'When it was made.';
