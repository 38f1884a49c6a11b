-- derived: rebuilt at will from other tables
create table prediction_terms (
    as_of date primary key,
    observed_from date not null,
    observed_until date not null check (observed_until between observed_from and as_of),
    features_from date not null check (extract(day from features_from) = 1),
    is_ahead boolean not null,
    customers bigint not null check (customers >= 0),
    discount_pct numeric not null check (discount_pct between 0 and 100),
    unavailable_because text collate "C"
);

comment on table prediction_terms is 'The terms on which everything is predicted: the moment, what was observed before it, and whether that is enough. One row, or none without a line before the moment.';
comment on column prediction_terms.as_of is 'The moment that predictions are made from: only lines strictly before this day count. The setting as_of; unset, the day of the snapshot date.';
comment on column prediction_terms.observed_from is 'The day of the first line.';
comment on column prediction_terms.observed_until is 'The first day that was not observed: as_of, or the day after the last line of all if that is earlier. Clocks stop here: days after it tell nothing of a customer''s silence.';
comment on column prediction_terms.features_from is 'The first month end at which customers are told: three years before observed_until, or the first of all. What customers did at older ones is not learnt from, and no past day that models are judged on is as old.';
comment on column prediction_terms.is_ahead is 'Whether as_of lies after every line. If not, what is computed is hindsight, and prediction_log does not keep it.';
comment on column prediction_terms.customers is 'Customers with a sale before as_of.';
comment on column prediction_terms.discount_pct is 'The yearly rate at which expected sales are discounted, in percent: the setting discount_pct.';
comment on column prediction_terms.unavailable_because is 'Why nothing is predicted: fewer than 500 customers with a sale, or 15 months of lines. NULL if predictions are made.';
