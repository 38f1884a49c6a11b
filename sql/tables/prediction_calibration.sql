-- derived: rebuilt at will from other tables
create table prediction_calibration (
    kind text collate "C" not null check (kind in ('risk', 'value')),
    as_of date not null,
    place bigint not null check (place between 1 and 10),
    predictions bigint not null check (predictions > 0),
    predicted double precision not null,
    came double precision not null,
    primary key (kind, as_of, place),
    check (kind = 'value' or (predicted between 0 and 1 and came between 0 and 1))
);

comment on table prediction_calibration is 'What was predicted on past days beside what came, by whatever predicts now. One row a kind, day and tenth; none of a kind that no past day is over for.';
comment on column prediction_calibration.kind is 'risk: of no purchase in the next 90 days, of those who bought in the last 365; value: sales in the next 182 days.';
comment on column prediction_calibration.as_of is 'The past day. Errors differ from day to day, with the season: over all days they may cancel out.';
comment on column prediction_calibration.place is 'The tenth of the day''s customers, 1 for the highest risk or the highest expected sales.';
comment on column prediction_calibration.predictions is 'How many were made.';
comment on column prediction_calibration.predicted is 'Their mean: a probability, or pounds sterling.';
comment on column prediction_calibration.came is 'What came of them: the share that did not buy, or mean sales in pounds sterling.';
