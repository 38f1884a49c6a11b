-- derived: rebuilt at will from other tables
create table cohort_retention (
    cohort_month date not null,
    months_since integer not null check (months_since >= 0),
    invoice_month date not null check (invoice_month >= cohort_month),
    customers bigint not null check (customers > 0),
    active bigint not null check (active between 0 and customers),
    invoices bigint not null check (invoices >= active),
    base_sales numeric not null check (base_sales > 0),
    base_sales_once numeric not null check (base_sales_once > 0 and base_sales_once <= base_sales),
    sales numeric not null check (sales >= 0),
    sales_once numeric not null check (sales_once between 0 and sales),
    retention_pct numeric not null check (retention_pct between 0 and 100),
    revenue_retention_pct numeric not null check (revenue_retention_pct >= 0),
    revenue_retention_once_pct numeric not null check (revenue_retention_once_pct >= 0),
    is_left_censored boolean not null,
    is_partial boolean not null,
    primary key (cohort_month, months_since),
    check (months_since > 0 or (active = customers and sales = base_sales and sales_once = base_sales_once))
);

comment on table cohort_retention is 'How many of the customers who first bought in a month bought again in each month since, and for how much; over is_sale lines. One row per cohort month and months since.';
comment on column cohort_retention.cohort_month is 'First day of the month of the first sale.';
comment on column cohort_retention.months_since is 'Months from cohort_month to invoice_month.';
comment on column cohort_retention.invoice_month is 'First day of the month observed.';
comment on column cohort_retention.customers is 'Customers of the cohort.';
comment on column cohort_retention.active is 'Those with a sale in invoice_month.';
comment on column cohort_retention.invoices is 'Their distinct invoices with a sale in invoice_month.';
comment on column cohort_retention.base_sales is 'Sales to the cohort in its first month in pounds sterling, exact. An invoice that its dump holds twice in full counts twice, as in sales.';
comment on column cohort_retention.base_sales_once is 'The same, each doubled invoice counted once.';
comment on column cohort_retention.sales is 'Sales to the cohort in invoice_month in pounds sterling, exact. An invoice that its dump holds twice in full counts twice.';
comment on column cohort_retention.sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column cohort_retention.retention_pct is 'active as a share of customers, in percent, to 6 places.';
comment on column cohort_retention.revenue_retention_pct is 'sales as a share of base_sales, in percent, to 6 places.';
comment on column cohort_retention.revenue_retention_once_pct is 'sales_once as a share of base_sales_once, in percent, to 6 places.';
comment on column cohort_retention.is_left_censored is 'The cohort is that of the first month of the data: it also holds older customers, and is left out of pooled figures.';
comment on column cohort_retention.is_partial is 'invoice_month or cohort_month is partial, see monthly_metrics: left out of pooled figures.';
