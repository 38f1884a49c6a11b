-- derived: rebuilt at will from other tables
create table cohort_retention_pooled (
    with_left_censored boolean not null,
    months_since integer not null check (months_since >= 0),
    cohorts bigint not null check (cohorts > 0),
    customers bigint not null check (customers > 0),
    active bigint not null check (active between 0 and customers),
    base_sales numeric not null check (base_sales > 0),
    base_sales_once numeric not null check (base_sales_once > 0 and base_sales_once <= base_sales),
    sales numeric not null check (sales >= 0),
    sales_once numeric not null check (sales_once between 0 and sales),
    retention_pct numeric not null check (retention_pct between 0 and 100),
    revenue_retention_pct numeric not null check (revenue_retention_pct >= 0),
    revenue_retention_once_pct numeric not null check (revenue_retention_once_pct >= 0),
    primary key (with_left_censored, months_since)
);

comment on table cohort_retention_pooled is 'cohort_retention over all cohorts of whole months: the retention curve. One row per pool and months since.';
comment on column cohort_retention_pooled.with_left_censored is 'Includes the cohort of the first month of the data. The curve of new customers is the one without it: that cohort also holds older customers.';
comment on column cohort_retention_pooled.months_since is 'Months since the month of the first sale.';
comment on column cohort_retention_pooled.cohorts is 'Cohorts that have been observed for at least this long.';
comment on column cohort_retention_pooled.customers is 'Their customers.';
comment on column cohort_retention_pooled.active is 'Those with a sale this many months after the first.';
comment on column cohort_retention_pooled.base_sales is 'Sales to these cohorts in their first months in pounds sterling, exact. An invoice that its dump holds twice in full counts twice, as in sales.';
comment on column cohort_retention_pooled.base_sales_once is 'The same, each doubled invoice counted once.';
comment on column cohort_retention_pooled.sales is 'Sales to them this many months later in pounds sterling, exact.';
comment on column cohort_retention_pooled.sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column cohort_retention_pooled.retention_pct is 'active as a share of customers, in percent, to 6 places.';
comment on column cohort_retention_pooled.revenue_retention_pct is 'sales as a share of base_sales, in percent, to 6 places.';
comment on column cohort_retention_pooled.revenue_retention_once_pct is 'sales_once as a share of base_sales_once, in percent, to 6 places.';
