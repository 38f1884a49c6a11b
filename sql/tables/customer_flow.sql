-- derived: rebuilt at will from other tables
create table customer_flow (
    invoice_month date primary key check (extract(day from invoice_month) = 1),
    active_customers bigint not null,
    new_customers bigint not null check (new_customers >= 0),
    retained_customers bigint not null check (retained_customers >= 0),
    reactivated_customers bigint not null check (reactivated_customers >= 0),
    lapsed_customers bigint not null check (lapsed_customers >= 0),
    sales numeric not null,
    sales_once numeric not null check (sales_once between 0 and sales),
    new_sales numeric not null check (new_sales >= 0),
    new_sales_once numeric not null check (new_sales_once between 0 and new_sales),
    retained_sales numeric not null check (retained_sales >= 0),
    retained_sales_once numeric not null check (retained_sales_once between 0 and retained_sales),
    reactivated_sales numeric not null check (reactivated_sales >= 0),
    reactivated_sales_once numeric not null check (reactivated_sales_once between 0 and reactivated_sales),
    lapsed_sales numeric not null check (lapsed_sales >= 0),
    lapsed_sales_once numeric not null check (lapsed_sales_once between 0 and lapsed_sales),
    is_left_censored boolean not null,
    is_partial boolean not null,
    check (active_customers = new_customers + retained_customers + reactivated_customers),
    check (sales = new_sales + retained_sales + reactivated_sales),
    check (sales_once = new_sales_once + retained_sales_once + reactivated_sales_once)
);

comment on table customer_flow is 'New, retained, reactivated and lapsed customers, with their sales; over is_sale lines. One row per month, months without a sale included.';
comment on column customer_flow.invoice_month is 'First day of the month.';
comment on column customer_flow.active_customers is 'Customers with a sale in the month: new, retained and reactivated.';
comment on column customer_flow.new_customers is 'Those whose first sale ever is in the month.';
comment on column customer_flow.retained_customers is 'Those who also had a sale in the month before.';
comment on column customer_flow.reactivated_customers is 'Those with an earlier sale, but none in the month before.';
comment on column customer_flow.lapsed_customers is 'Customers with a sale in the month before, and none in this month.';
comment on column customer_flow.sales is 'Sales to active customers in pounds sterling, exact. An invoice that its dump holds twice in full counts twice, here and in the other sums.';
comment on column customer_flow.sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column customer_flow.new_sales is 'Sales to new customers in pounds sterling, exact.';
comment on column customer_flow.new_sales_once is 'The same, each doubled invoice counted once.';
comment on column customer_flow.retained_sales is 'Sales to retained customers in pounds sterling, exact.';
comment on column customer_flow.retained_sales_once is 'The same, each doubled invoice counted once.';
comment on column customer_flow.reactivated_sales is 'Sales to reactivated customers in pounds sterling, exact.';
comment on column customer_flow.reactivated_sales_once is 'The same, each doubled invoice counted once.';
comment on column customer_flow.lapsed_sales is 'What lapsed customers bought in the month before, in pounds sterling, exact.';
comment on column customer_flow.lapsed_sales_once is 'The same, each doubled invoice counted once.';
comment on column customer_flow.is_left_censored is 'The first month of the data: everybody seems new.';
comment on column customer_flow.is_partial is 'The month is partial, see monthly_metrics: not comparable with whole months.';
