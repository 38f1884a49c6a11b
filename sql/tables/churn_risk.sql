-- derived: rebuilt at will from other tables
create table churn_risk (
    customer_id integer primary key,
    as_of date not null,
    window_until date not null check (window_until > as_of),
    model text collate "C" not null,
    segment text collate "C" not null,
    probability double precision not null check (probability between 0 and 1),
    band text collate "C" not null check (band in ('low', 'medium', 'high')),
    rank bigint not null check (rank > 0),
    is_calibrated boolean not null,
    reason_1 text collate "C",
    reason_2 text collate "C",
    reason_3 text collate "C",
    last_day date not null check (last_day < as_of),
    expected_next_day date check (expected_next_day > last_day),
    days_late integer,
    sales_365 numeric not null check (sales_365 >= 0),
    value_rank bigint check (value_rank > 0),
    check (reason_2 is null or reason_1 is not null),
    check (reason_3 is null or reason_2 is not null),
    check ((expected_next_day is null) = (days_late is null)),
    check (band = case when probability < 0.33 then 'low' when probability < 0.66 then 'medium' else 'high' end)
);

comment on table churn_risk is 'Of each customer who bought in the last 365 days before observed_until of prediction_terms, how probable it is that no purchase follows in the 90 days from as_of, and why. The level moves with the season: where is_calibrated is false, rank is to be shown instead of probability. One row a customer; none while too little has been observed.';
comment on column churn_risk.customer_id is 'Customer.';
comment on column churn_risk.as_of is 'The moment that it is predicted from.';
comment on column churn_risk.window_until is 'The first day after the window.';
comment on column churn_risk.model is 'What predicts it.';
comment on column churn_risk.segment is 'Segment as of the moment.';
comment on column churn_risk.probability is 'Probability of no purchase from as_of until window_until.';
comment on column churn_risk.band is 'low below 33 %, medium below 66 %, else high.';
comment on column churn_risk.rank is 'Place by probability, from 1, the most at risk.';
comment on column churn_risk.is_calibrated is 'Whether predicted and observed shares were within 6 points of each other on past days, on average.';
comment on column churn_risk.reason_1 is 'What moves the risk most, compared with the average customer, in words. From the regression, which is half of the probability; only facts that move it the way their words suggest. Where model is recency, that alone. NULL if there is no such fact.';
comment on column churn_risk.reason_2 is 'What moves it next. NULL if nothing does.';
comment on column churn_risk.reason_3 is 'The third. NULL if there is none.';
comment on column churn_risk.last_day is 'Last purchase day.';
comment on column churn_risk.expected_next_day is 'last_day and the customer''s own typical gap; as_of and the usual wait of all, if that was nearer on past days. If it has passed, it tells that the customer is late, not when they will buy: model_evaluations judges those that lie ahead. NULL if there is one purchase day only.';
comment on column churn_risk.days_late is 'Days from expected_next_day to observed_until of prediction_terms, the first day that was not observed: 0 if the purchase is due on that day, negative before.';
comment on column churn_risk.sales_365 is 'Sales of these 365 days in pounds sterling, exact: what is at risk.';
comment on column churn_risk.value_rank is 'Place in customer_value at 182 days.';
