-- derived: rebuilt at will from other tables
create table customer_outcomes (
    as_of date not null,
    customer_id integer not null,
    bought_90 boolean,
    next_day date check (next_day >= as_of),
    purchase_days_90 bigint check (purchase_days_90 >= 0),
    sales_90 numeric check (sales_90 >= 0),
    purchase_days_182 bigint check (purchase_days_182 >= 0),
    sales_182 numeric check (sales_182 >= 0),
    purchase_days_365 bigint check (purchase_days_365 >= 0),
    sales_365 numeric check (sales_365 >= 0),
    segment_3_months text collate "C",
    primary key (as_of, customer_id),
    check ((bought_90 is null) = (purchase_days_90 is null)),
    check ((bought_90 is null) = (sales_90 is null)),
    check ((purchase_days_182 is null) = (sales_182 is null)),
    check ((purchase_days_365 is null) = (sales_365 is null)),
    check (bought_90 = (purchase_days_90 > 0)),
    check ((bought_90 is true) = (next_day is not null)),
    check ((purchase_days_90 = 0) = (sales_90 = 0)),
    check ((purchase_days_182 = 0) = (sales_182 = 0)),
    check ((purchase_days_365 = 0) = (sales_365 = 0))
);

comment on table customer_outcomes is 'What came of each customer after each moment of customer_features, as far as it has been observed: what models learn from and are judged by. One row a moment and customer.';
comment on column customer_outcomes.as_of is 'The moment.';
comment on column customer_outcomes.customer_id is 'Customer.';
comment on column customer_outcomes.bought_90 is 'Whether the customer bought in the 90 days from as_of. NULL while these are not over.';
comment on column customer_outcomes.next_day is 'The first purchase day of these. NULL while they are not over, or if there was none.';
comment on column customer_outcomes.purchase_days_90 is 'Purchase days in them. NULL while they are not over.';
comment on column customer_outcomes.sales_90 is 'Sales in them in pounds sterling, exact.';
comment on column customer_outcomes.purchase_days_182 is 'Purchase days in the 182 days from as_of. NULL while these are not over.';
comment on column customer_outcomes.sales_182 is 'Sales in these days in pounds sterling, exact.';
comment on column customer_outcomes.purchase_days_365 is 'Purchase days in the 365 days from as_of. NULL while these are not over.';
comment on column customer_outcomes.sales_365 is 'Sales in these days in pounds sterling, exact.';
comment on column customer_outcomes.segment_3_months is 'Segment three months later, where that is a moment as well and has been observed. NULL elsewhere.';
