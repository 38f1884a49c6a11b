-- derived: rebuilt at will from other tables
create table second_purchases (
    cohort_month date not null,
    window_days integer not null check (window_days in (30, 60, 90, 180)),
    customers bigint not null check (customers > 0),
    second_purchases bigint not null check (second_purchases between 0 and customers),
    second_purchase_pct numeric not null check (second_purchase_pct between 0 and 100),
    is_left_censored boolean not null,
    primary key (cohort_month, window_days)
);

comment on table second_purchases is 'How many of the customers who first bought in a month bought on a second day within 30, 60, 90 and 180 days: the figure that a welcome series has to raise. Only windows that are over for all of them. One row per cohort month and window.';
comment on column second_purchases.cohort_month is 'First day of the month of the first sale.';
comment on column second_purchases.window_days is 'Days from the day of the first sale, which is day 0.';
comment on column second_purchases.customers is 'Customers of the cohort.';
comment on column second_purchases.second_purchases is 'Those with a sale on a second day within the window.';
comment on column second_purchases.second_purchase_pct is 'second_purchases as a share of customers, in percent, to 6 places.';
comment on column second_purchases.is_left_censored is 'The cohort is that of the first month of the data: it also holds older customers.';
