-- Predictions are kept with what their baseline said, their wider interval and the customer's segment, to be judged as back-tests are.
alter table lgs.prediction_log
    add column segment text,
    add column low_95 numeric,
    add column high_95 numeric,
    add column baseline numeric,
    add check (low_95 <= low and high <= high_95);

comment on column lgs.prediction_log.segment is 'Segment of the customer as of the moment, of risks and ranks. NULL for other predictions, and for those made before it was kept.';
comment on column lgs.prediction_log.low_95 is 'Lower end of its 95 % interval. NULL if it has none, or was made before it was kept.';
comment on column lgs.prediction_log.high_95 is 'Upper end of the interval.';
comment on column lgs.prediction_log.baseline is 'What the baseline said then: the same figure; of risks the days since the last purchase, of ranks the orders. NULL if it was made before that was kept.';
