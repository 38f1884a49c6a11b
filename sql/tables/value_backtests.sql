-- derived: rebuilt at will from other tables
create table value_backtests (
    horizon_days bigint not null check (horizon_days > 0),
    as_of date not null,
    customer_id integer not null,
    labels_until date not null,
    purchases_low bigint not null check (purchases_low >= 0),
    purchases double precision not null check (purchases between purchases_low and purchases_high),
    purchases_high bigint not null,
    expected_within double precision not null check (expected_within between 0 and 1),
    sales_low double precision not null check (sales_low >= 0),
    sales double precision not null check (sales between sales_low and sales_high),
    sales_high double precision not null,
    baseline_purchases bigint not null check (baseline_purchases >= 0),
    baseline_sales numeric not null check (baseline_sales >= 0),
    actual_purchases bigint not null check (actual_purchases >= 0),
    actual_sales numeric not null check (actual_sales >= 0),
    primary key (horizon_days, as_of, customer_id)
);

comment on table value_backtests is 'What the value model would have said on past days, and what came: of each horizon the last ten days before which as many days had been observed as the horizon has, and after which they are over. One row a horizon, day and customer known by then.';
comment on column value_backtests.horizon_days is 'How many days from as_of: 90, 182 or 365.';
comment on column value_backtests.as_of is 'The day it would have been asked.';
comment on column value_backtests.customer_id is 'Customer.';
comment on column value_backtests.labels_until is 'The day after the last purchase that the model was told of; a check holds that it is not after as_of.';
comment on column value_backtests.purchases_low is 'Lower end of the 80 % interval of the purchase days to come.';
comment on column value_backtests.purchases is 'Expected purchase days.';
comment on column value_backtests.purchases_high is 'Upper end of the interval.';
comment on column value_backtests.expected_within is 'How likely the model holds it that what comes is within the interval: more than 80 %, since days are whole.';
comment on column value_backtests.sales_low is 'Lower end of the 80 % interval of sales in pounds sterling.';
comment on column value_backtests.sales is 'Expected sales.';
comment on column value_backtests.sales_high is 'Upper end of the interval.';
comment on column value_backtests.baseline_purchases is 'What the status quo says: the purchase days of as many days before.';
comment on column value_backtests.baseline_sales is 'The sales of these days in pounds sterling, exact.';
comment on column value_backtests.actual_purchases is 'Purchase days that came.';
comment on column value_backtests.actual_sales is 'Sales that came in pounds sterling, exact.';
