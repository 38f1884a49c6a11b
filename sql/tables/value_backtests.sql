-- derived: rebuilt at will from other tables
create table value_backtests (
    as_of date not null,
    customer_id integer not null,
    labels_until date not null,
    purchases_low bigint not null check (purchases_low >= 0),
    purchases double precision not null check (purchases between purchases_low and purchases_high),
    purchases_high bigint not null,
    sales double precision not null check (sales >= 0),
    baseline_purchases bigint not null check (baseline_purchases >= 0),
    baseline_sales numeric not null check (baseline_sales >= 0),
    actual_purchases bigint not null check (actual_purchases >= 0),
    actual_sales numeric not null check (actual_sales >= 0),
    primary key (as_of, customer_id)
);

comment on table value_backtests is 'What the value model would have said of the next 182 days on each of ten past days, and what came. One row a day and customer known by then.';
comment on column value_backtests.as_of is 'The day it would have been asked.';
comment on column value_backtests.customer_id is 'Customer.';
comment on column value_backtests.labels_until is 'The end of what the model was fitted to; a check holds that it is not after as_of.';
comment on column value_backtests.purchases_low is 'Lower end of the 80 % interval of the purchase days in the next 182 days.';
comment on column value_backtests.purchases is 'Expected purchase days.';
comment on column value_backtests.purchases_high is 'Upper end of the interval.';
comment on column value_backtests.sales is 'Expected sales in pounds sterling.';
comment on column value_backtests.baseline_purchases is 'What the status quo says: the purchase days of the last 182 days.';
comment on column value_backtests.baseline_sales is 'The sales of the last 182 days in pounds sterling, exact.';
comment on column value_backtests.actual_purchases is 'Purchase days that came.';
comment on column value_backtests.actual_sales is 'Sales that came in pounds sterling, exact.';
