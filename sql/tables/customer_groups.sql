-- derived: rebuilt at will from other tables
create table customer_groups (
    snapshot_date timestamp not null,
    country text collate "C" not null,
    cohort_quarter date not null check (cohort_quarter = date_trunc('quarter', cohort_quarter)),
    segment text collate "C" not null,
    segment_before text collate "C" not null,
    r_score smallint not null check (r_score between 1 and 5),
    f_score smallint not null check (f_score between 1 and 5),
    spent_from integer not null check (spent_from in (0, 100, 250, 500, 1000, 2500, 5000, 10000)),
    customers bigint not null check (customers > 0),
    monetary numeric not null check (monetary > 0 and monetary >= spent_from * customers),
    monetary_once numeric not null check (monetary_once > 0 and monetary_once <= monetary),
    monetary_before numeric not null check (monetary_before between 0 and monetary),
    monetary_once_before numeric not null check (monetary_once_before between 0 and monetary_before),
    primary key (snapshot_date, country, cohort_quarter, segment, segment_before, r_score, f_score, spent_from),
    check ((segment_before = '(not yet a customer)') = (monetary_before = 0))
);

comment on table customer_groups is 'The customers of each snapshot in groups: those who are alike in country, first quarter, segment, segment a snapshot before, scores and band of sales. There are fewer groups than customers, the more so the more customers there are. One row per snapshot and group.';
comment on column customer_groups.snapshot_date is 'The moment, as in rfm_history.';
comment on column customer_groups.country is 'Country of the customers, as in customer_profile.';
comment on column customer_groups.cohort_quarter is 'First day of the quarter of their first sale.';
comment on column customer_groups.segment is 'Segment at the snapshot.';
comment on column customer_groups.segment_before is 'Segment at the previous snapshot; (not yet a customer) for those without a sale before it.';
comment on column customer_groups.r_score is 'Quintile of recency_days, as in rfm_history.';
comment on column customer_groups.f_score is 'Quintile of frequency, as in rfm_history.';
comment on column customer_groups.spent_from is 'Pounds from which the band of their monetary begins: each spent so much or more, and less than the next band.';
comment on column customer_groups.customers is 'Customers.';
comment on column customer_groups.monetary is 'Their sales before the snapshot in pounds sterling, exact. An invoice that its dump holds twice in full counts twice.';
comment on column customer_groups.monetary_once is 'The same, each doubled invoice counted once.';
comment on column customer_groups.monetary_before is 'Their sales before the previous snapshot; 0 for those who were not yet customers.';
comment on column customer_groups.monetary_once_before is 'The same, each doubled invoice counted once.';
