-- derived: rebuilt at will from other tables
create table experiment_results (
    experiment text collate "C" not null,
    metric text collate "C" not null,
    segment text collate "C" not null,
    country text collate "C" not null,
    role text collate "C" not null check (role in ('primary', 'secondary', 'by segment', 'by segment and country')),
    control_customers bigint not null check (control_customers > 0),
    treated_customers bigint not null check (treated_customers > 0),
    control_mean double precision,
    treated_mean double precision,
    difference double precision not null,
    low double precision check (low <= difference),
    high double precision check (high >= difference),
    p_value double precision not null check (p_value > 0 and p_value <= 1),
    corrected_p double precision check (corrected_p >= p_value and corrected_p <= 1),
    level double precision not null check (level >= 0 and level < 1),
    capped_control_mean double precision,
    capped_treated_mean double precision,
    capped_difference double precision,
    capped_low double precision check (capped_low <= capped_difference),
    capped_high double precision check (capped_high >= capped_difference),
    primary key (experiment, metric, segment, country),
    check (capped_difference is null or metric = 'net_revenue'),
    check ((role = 'primary') = (corrected_p is null)),
    check ((role in ('by segment', 'by segment and country')) = (segment <> 'all')),
    check ((role = 'by segment and country') = (country <> 'all'))
);

comment on table experiment_results is 'What each experiment found: customers as they were assigned, compared once the data covers the window of every one. Without a row, a metric is not due yet. One row per experiment, metric, segment and country.';
comment on column experiment_results.experiment is 'Name of the experiment.';
comment on column experiment_results.metric is 'bought_within (share of customers), net_revenue (pounds per customer), orders (per customer) or revenue_per_order (pounds).';
comment on column experiment_results.segment is 'all; or the segment when the customers were assigned, for the primary metric.';
comment on column experiment_results.country is 'all; or the country of most of the customers'' sales before their window, within the segment.';
comment on column experiment_results.role is 'primary: the metric that the experiment is judged by; secondary; or by segment, or by segment and country, on which no verdict is given.';
comment on column experiment_results.control_customers is 'Customers assigned to the control group.';
comment on column experiment_results.treated_customers is 'Customers assigned to the treatment.';
comment on column experiment_results.control_mean is 'Mean of the control group. NULL of net revenue per order if nobody ordered.';
comment on column experiment_results.treated_mean is 'Mean of the treated. NULL likewise.';
comment on column experiment_results.difference is 'What the treatment made of a customer at the best estimate, adjusted for past spend.';
comment on column experiment_results.low is 'Lower end of what the data does not contradict, at a confidence of 1 - level. NULL if there is none.';
comment on column experiment_results.high is 'Upper end of it. NULL if there is none.';
comment on column experiment_results.p_value is 'How often the draw of the arms alone makes a difference as large; of net revenue, as capped at the start.';
comment on column experiment_results.corrected_p is 'The p-value corrected by Holm''s method: of a secondary metric for their number, of a segment or country for the number of these. NULL of the primary metric of all customers.';
comment on column experiment_results.level is 'The p-value up to which an effect is outside low and high: 0.05; of the primary metric what the declared looks leave of it, and of secondary metrics, and of segments and countries, the share of each in it.';
comment on column experiment_results.capped_control_mean is 'Mean of the control group with no customer counted beyond the cap of the start. NULL of others than net revenue.';
comment on column experiment_results.capped_treated_mean is 'Mean of the treated, likewise.';
comment on column experiment_results.capped_difference is 'The difference of net revenue with no customer counted beyond the cap of the start: the p-value and the sign of the verdict are of it. NULL of others.';
comment on column experiment_results.capped_low is 'Lower end of what the data does not contradict of it. NULL if there is none.';
comment on column experiment_results.capped_high is 'Upper end of it. NULL if there is none.';
