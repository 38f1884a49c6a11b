-- kept: facts that no dump can restore
create table rejected_lines (
    dump text not null,
    line_number bigint not null,
    column_name text,
    reason text not null,
    line text not null,
    primary key (dump, line_number)
);

comment on table rejected_lines is 'The lines of the dumps in the ledger that cannot be invoice lines. One row per line.';
comment on column rejected_lines.dump is 'The dump that the line came from.';
comment on column rejected_lines.line_number is 'Number of the line in the dump, as in raw_invoices.';
comment on column rejected_lines.column_name is 'The column at fault. NULL if it is the whole line.';
comment on column rejected_lines.reason is 'What was expected and what was found.';
comment on column rejected_lines.line is 'The line as it is in the dump; bytes that are not text as \xNN.';
