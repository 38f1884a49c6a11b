-- What came to be otherwise than an experiment declares: a row beside the declaration, which is never changed.
create table lgs.experiment_amendments (
    experiment text not null,
    amendment integer not null check (amendment > 0),
    what text not null check (what <> ''),
    because text not null check (because <> ''),
    amended_by text not null,
    amended_at timestamp with time zone not null,
    primary key (experiment, amendment)
);

comment on table lgs.experiment_amendments is 'What came to be otherwise than an experiment declares, told by people. The declaration itself stays. One row an amendment.';
comment on column lgs.experiment_amendments.experiment is 'Name of the experiment.';
comment on column lgs.experiment_amendments.amendment is 'Number of the amendment, from 1 for each experiment.';
comment on column lgs.experiment_amendments.what is 'What is otherwise.';
comment on column lgs.experiment_amendments.because is 'Why.';
comment on column lgs.experiment_amendments.amended_by is 'Login that recorded it.';
comment on column lgs.experiment_amendments.amended_at is 'When it was recorded.';
