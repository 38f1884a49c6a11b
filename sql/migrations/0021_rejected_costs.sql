-- The rejected lines of a file of unit costs are kept, as those of dumps are.
create table lgs.rejected_costs (
    line_number bigint primary key,
    column_name text,
    reason text not null,
    line text not null
);

comment on table lgs.rejected_costs is 'The lines of the last file of unit costs that were rejected. One row per line.';
comment on column lgs.rejected_costs.line_number is 'Number of the line in the file.';
comment on column lgs.rejected_costs.column_name is 'The column at fault. NULL if it is the whole line.';
comment on column lgs.rejected_costs.reason is 'What was expected and what was found.';
comment on column lgs.rejected_costs.line is 'The line as it is in the file.';
