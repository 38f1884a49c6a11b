-- derived: rebuilt at will from other tables
create table customer_profile (
    customer_id integer primary key,
    first_sale_at timestamp not null,
    last_sale_at timestamp not null,
    cohort_month date not null check (cohort_month = date_trunc('month', first_sale_at)),
    is_first_seen boolean not null,
    country text collate "C" not null,
    orders bigint not null check (orders > 0),
    purchase_days bigint not null check (purchase_days > 0),
    second_purchase_day date,
    sales numeric not null check (sales > 0),
    returns numeric not null,
    net_revenue numeric not null,
    kept_pct numeric not null,
    typical_order numeric not null check (typical_order > 0),
    typical_gap_days numeric check (typical_gap_days >= 1),
    check (first_sale_at <= last_sale_at),
    check (second_purchase_day > first_sale_at),
    check ((purchase_days = 1) = (second_purchase_day is null)),
    check ((purchase_days = 1) = (typical_gap_days is null))
);

create index on customer_profile (cohort_month);

comment on table customer_profile is 'What is known about each customer who has bought: since when, how often, how much, and what was refunded. One row per customer with a sale.';
comment on column customer_profile.customer_id is 'Customer.';
comment on column customer_profile.first_sale_at is 'Earliest invoice_date of the sales.';
comment on column customer_profile.last_sale_at is 'Latest invoice_date of the sales.';
comment on column customer_profile.cohort_month is 'First day of the month of the first sale.';
comment on column customer_profile.is_first_seen is 'The first sale is in the first month of the data: perhaps not a new customer.';
comment on column customer_profile.country is 'Country with the most sales to the customer; on a tie, the latest.';
comment on column customer_profile.orders is 'Distinct invoices with a sale.';
comment on column customer_profile.purchase_days is 'Distinct days with a sale.';
comment on column customer_profile.second_purchase_day is 'The second of these days. NULL if there is only one.';
comment on column customer_profile.sales is 'Sum of line_total of the sales in pounds sterling, exact.';
comment on column customer_profile.returns is 'Amount refunded by cancellations, in pounds sterling, exact.';
comment on column customer_profile.net_revenue is 'Sum of line_total of all lines in pounds sterling, exact.';
comment on column customer_profile.kept_pct is 'net_revenue as a share of sales, in percent, to 6 places.';
comment on column customer_profile.typical_order is 'Median amount of the orders in pounds sterling.';
comment on column customer_profile.typical_gap_days is 'Median number of days from one purchase day to the next. NULL if there is only one.';
