-- derived: rebuilt at will from other tables
create table experiment_reports (
    experiment text collate "C" primary key,
    answer text collate "C" not null check (answer <> ''),
    report text collate "C" not null check (report <> ''),
    picture bytea,
    due date not null,
    covered_until date not null,
    control_excluded bigint not null check (control_excluded >= 0),
    treated_excluded bigint not null check (treated_excluded >= 0),
    is_mismatched boolean not null,
    missing_from date,
    missing_to date check (missing_to >= missing_from),
    claim text collate "C",
    check ((missing_from is null) = (missing_to is null))
);

comment on table experiment_reports is 'The report of each experiment, by the data that was loaded when it was built. One row an experiment that was started.';
comment on column experiment_reports.experiment is 'Name of the experiment.';
comment on column experiment_reports.answer is 'The answer, or that it is not due yet: the first line of the report, as plain text.';
comment on column experiment_reports.report is 'The report, in Markdown.';
comment on column experiment_reports.picture is 'The picture of the result, as a PNG file. NULL while there is no figure to show.';
comment on column experiment_reports.due is 'The first day that the data need not cover for the primary metric.';
comment on column experiment_reports.covered_until is 'The first day that the data does not cover: that of the last invoice, which need not be over.';
comment on column experiment_reports.control_excluded is 'Customers of the control group who have objected to marketing or are forgotten.';
comment on column experiment_reports.treated_excluded is 'Likewise of the treated.';
comment on column experiment_reports.is_mismatched is 'Whether the arms, counting customers still in the data, are not of the sizes that were drawn, or one lost far more than the other: then there is no result.';
comment on column experiment_reports.missing_from is 'The first day, before the primary metric would be due, of those in a row without an invoice, where the shop was never before without one for so long. NULL if there are none.';
comment on column experiment_reports.missing_to is 'The last of these days.';
comment on column experiment_reports.claim is 'What a report without a control group would have claimed, as plain text. NULL until it can be told.';
