-- derived: rebuilt at will from other tables
create table risk_backtests (
    task text collate "C" not null check (task in ('churn_risk', 'slipping')),
    as_of date not null,
    customer_id integer not null,
    labels_until date not null,
    segment text collate "C" not null,
    recency_days integer not null check (recency_days > 0),
    score double precision not null,
    probability double precision check (probability between 0 and 1),
    baseline_score double precision not null,
    baseline_probability double precision check (baseline_probability between 0 and 1),
    bgnbd_score double precision not null,
    happened boolean not null,
    expected_next_day date,
    baseline_next_day date,
    next_day date check (next_day >= as_of),
    primary key (task, as_of, customer_id),
    check ((task = 'churn_risk') = (probability is not null)),
    check ((probability is null) = (baseline_probability is null)),
    check ((expected_next_day is null) = (baseline_next_day is null))
);

comment on table risk_backtests is 'How the models of risk would have ranked customers on past days, and who left or slipped. One row a task, day and customer at risk.';
comment on column risk_backtests.task is 'churn_risk: no purchase in the next 90 days, of those who bought in the last 365; slipping: a Loyal Customer or Champion is in At Risk, Can''t Lose, Hibernating or About to Sleep three months on.';
comment on column risk_backtests.as_of is 'The day it would have been asked.';
comment on column risk_backtests.customer_id is 'Customer.';
comment on column risk_backtests.labels_until is 'The end of the last window that the model learnt from; a check holds that it is not after as_of.';
comment on column risk_backtests.segment is 'Segment as of the day.';
comment on column risk_backtests.recency_days is 'Days since the last purchase day.';
comment on column risk_backtests.score is 'What customers are ranked by; higher is more at risk.';
comment on column risk_backtests.probability is 'Probability that the model gives. NULL where it gives a rank only.';
comment on column risk_backtests.baseline_score is 'What the baseline ranks by: recency for churn_risk, frequency for slipping.';
comment on column risk_backtests.baseline_probability is 'Probability by recency alone: the share that was quiet of earlier customers of about the same.';
comment on column risk_backtests.bgnbd_score is 'What BG/NBD alone ranks by: for churn_risk its probability of no purchase, for slipping that of not being alive.';
comment on column risk_backtests.happened is 'Whether it came so.';
comment on column risk_backtests.expected_next_day is 'When the next purchase was due by the typical gap of the customer. NULL after a single purchase day, and for slipping.';
comment on column risk_backtests.baseline_next_day is 'The same day for everybody who has a gap: after the usual wait of customers who were due on earlier days, and bought.';
comment on column risk_backtests.next_day is 'When it came, within the 90 days. NULL if it did not, and for slipping.';
