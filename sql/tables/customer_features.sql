-- derived: rebuilt at will from other tables
create table customer_features (
    as_of date not null,
    customer_id integer not null,
    observed_until date not null check (observed_until <= as_of),
    first_day date not null,
    last_day date not null check (last_day >= first_day and last_day < observed_until),
    purchase_days bigint not null check (purchase_days > 0),
    orders bigint not null check (orders > 0),
    sales numeric not null check (sales > 0),
    net_revenue numeric not null,
    recency_days integer not null check (recency_days > 0),
    tenure_days integer not null check (tenure_days >= recency_days),
    typical_gap_days numeric check (typical_gap_days >= 1),
    squared_gaps bigint not null check (squared_gaps >= 0),
    purchase_days_90 bigint not null check (purchase_days_90 between 0 and purchase_days_182),
    purchase_days_182 bigint not null check (purchase_days_182 between 0 and purchase_days_365),
    purchase_days_365 bigint not null check (purchase_days_365 between 0 and purchase_days),
    sales_90 numeric not null check (sales_90 >= 0),
    sales_182 numeric not null check (sales_182 >= sales_90),
    sales_365 numeric not null check (sales_365 >= sales_182),
    cancelled_orders bigint not null check (cancelled_orders >= 0),
    snapshot_recency_days integer not null check (snapshot_recency_days >= 0),
    r_score smallint not null check (r_score between 1 and 5),
    f_score smallint not null check (f_score between 1 and 5),
    segment text collate "C" not null,
    primary key (as_of, customer_id),
    check ((purchase_days = 1) = (typical_gap_days is null))
);

comment on table customer_features is 'What was known of each customer at each moment, from strictly before it: at the first day of each month from features_from of prediction_terms on, and at its as_of. One row a moment and customer with a sale before it; none while too little has been observed.';
comment on column customer_features.as_of is 'The moment.';
comment on column customer_features.customer_id is 'Customer.';
comment on column customer_features.observed_until is 'The moment, or the day after the last line if that is earlier: recency, tenure and the windows below look back from here.';
comment on column customer_features.first_day is 'First purchase day.';
comment on column customer_features.last_day is 'Last purchase day.';
comment on column customer_features.purchase_days is 'Distinct days with a sale.';
comment on column customer_features.orders is 'Distinct invoices with a sale.';
comment on column customer_features.sales is 'Sum of line_total of the sales in pounds sterling, exact.';
comment on column customer_features.net_revenue is 'Sum of line_total of all lines in pounds sterling, exact.';
comment on column customer_features.recency_days is 'Days from last_day to observed_until.';
comment on column customer_features.tenure_days is 'Days from first_day to observed_until.';
comment on column customer_features.typical_gap_days is 'Median of the days from one purchase day to the next. NULL if there is one only.';
comment on column customer_features.squared_gaps is 'Sum of the squares of these gaps: with their number and their sum, it gives their spread.';
comment on column customer_features.purchase_days_90 is 'Purchase days in the last 90 days.';
comment on column customer_features.purchase_days_182 is 'Purchase days in the last 182 days.';
comment on column customer_features.purchase_days_365 is 'Purchase days in the last 365 days.';
comment on column customer_features.sales_90 is 'Sales in the last 90 days in pounds sterling, exact.';
comment on column customer_features.sales_182 is 'Sales in the last 182 days in pounds sterling, exact.';
comment on column customer_features.sales_365 is 'Sales in the last 365 days in pounds sterling, exact.';
comment on column customer_features.cancelled_orders is 'Distinct invoices that start with C.';
comment on column customer_features.snapshot_recency_days is 'Whole days from the last sale to as_of: recency_days of rfm_history.';
comment on column customer_features.r_score is 'Quintile of snapshot_recency_days among the customers of the moment; 5 is the most recent fifth.';
comment on column customer_features.f_score is 'Quintile of orders, as in rfm_history.';
comment on column customer_features.segment is 'Segment of the two scores.';
