-- derived: rebuilt at will from other tables
create table experiment_results (
    experiment text collate "C" not null,
    metric text collate "C" not null,
    segment text collate "C" not null,
    role text collate "C" not null check (role in ('primary', 'secondary', 'by segment')),
    control_customers bigint not null check (control_customers > 0),
    treated_customers bigint not null check (treated_customers > 0),
    control_mean double precision not null,
    treated_mean double precision not null,
    difference double precision not null,
    low double precision check (low <= difference),
    high double precision check (high >= difference),
    p_value double precision not null check (p_value > 0 and p_value <= 1),
    corrected_p double precision check (corrected_p >= p_value and corrected_p <= 1),
    level double precision not null check (level >= 0 and level < 1),
    capped_difference double precision,
    capped_low double precision check (capped_low <= capped_difference),
    capped_high double precision check (capped_high >= capped_difference),
    primary key (experiment, metric, segment),
    check (capped_difference is null or metric = 'net_revenue'),
    check ((role = 'secondary') = (corrected_p is not null)),
    check ((role = 'by segment') = (segment <> 'all'))
);

comment on table experiment_results is 'What each experiment found: customers as they were assigned, compared once the data covers the window of every one. Without a row, a metric is not due yet. One row per experiment, metric and segment.';
comment on column experiment_results.experiment is 'Name of the experiment.';
comment on column experiment_results.metric is 'bought_within (share of customers), net_revenue (pounds per customer), orders (per customer) or revenue_per_order (pounds).';
comment on column experiment_results.segment is 'all; or the segment when the customers were assigned, for the primary metric.';
comment on column experiment_results.role is 'primary: the metric that the experiment is judged by; secondary; or by segment, on which no verdict is given.';
comment on column experiment_results.control_customers is 'Customers assigned to the control group.';
comment on column experiment_results.treated_customers is 'Customers assigned to the treatment.';
comment on column experiment_results.control_mean is 'Mean of the control group.';
comment on column experiment_results.treated_mean is 'Mean of the treated.';
comment on column experiment_results.difference is 'What the treatment made of a customer at the best estimate, adjusted for past spend.';
comment on column experiment_results.low is 'Lower end of what the data does not contradict, at a confidence of 1 - level. NULL if there is none.';
comment on column experiment_results.high is 'Upper end of it. NULL if there is none.';
comment on column experiment_results.p_value is 'How often the draw of the arms alone makes a difference as large; of net revenue, as capped at the start.';
comment on column experiment_results.corrected_p is 'The p-value of a secondary metric, corrected for their number by Holm''s method. NULL of others.';
comment on column experiment_results.level is 'The p-value up to which an effect shows: 0.05; of the primary metric what the declared looks leave of it.';
comment on column experiment_results.capped_difference is 'The difference of net revenue with no customer counted beyond the cap of the start: the p-value and the sign of the verdict are of it. NULL of others.';
comment on column experiment_results.capped_low is 'Lower end of what the data does not contradict of it. NULL if there is none.';
comment on column experiment_results.capped_high is 'Upper end of it. NULL if there is none.';
