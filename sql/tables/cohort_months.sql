-- derived: rebuilt at will from other tables
create table cohort_months (
    country text collate "C" not null,
    cohort_month date not null,
    invoice_month date not null,
    active_customers bigint not null check (active_customers > 0),
    placed_orders bigint not null,
    doubled_orders bigint not null check (doubled_orders >= 0),
    net_sales numeric not null,
    net_sales_once numeric not null,
    primary key (country, cohort_month, invoice_month)
);

comment on table cohort_months is 'What the customers of each country and cohort did, month by month, cancellations and refunds included. One row per country, cohort month and month with a line.';
comment on column cohort_months.country is 'Country of the customers, as in customer_profile.';
comment on column cohort_months.cohort_month is 'First day of the month of their first sale.';
comment on column cohort_months.invoice_month is 'First day of the month. Before cohort_month if a refund came before the first sale.';
comment on column cohort_months.active_customers is 'Distinct customers with a line.';
comment on column cohort_months.placed_orders is 'Sum of placed_orders of customer_months.';
comment on column cohort_months.doubled_orders is 'Sum of doubled_orders of customer_months.';
comment on column cohort_months.net_sales is 'Sum of line_total of all lines in pounds sterling, exact.';
comment on column cohort_months.net_sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
