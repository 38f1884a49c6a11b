-- derived: rebuilt at will from other tables
create table customer_months (
    customer_id integer not null,
    invoice_month date not null,
    placed_orders bigint not null,
    doubled_orders bigint not null check (doubled_orders >= 0),
    net_sales numeric not null,
    net_sales_once numeric not null,
    primary key (customer_id, invoice_month)
);

comment on table customer_months is 'What each customer did, month by month, cancellations and refunds included. One row per customer and month with a line.';
comment on column customer_months.customer_id is 'Customer.';
comment on column customer_months.invoice_month is 'First day of the month.';
comment on column customer_months.placed_orders is 'Distinct invoices less twice the cancelled ones, as in monthly_metrics. An invoice to two customers is an order of both.';
comment on column customer_months.doubled_orders is 'Distinct invoices that their dump holds twice in full.';
comment on column customer_months.net_sales is 'Sum of line_total of all lines in pounds sterling, exact.';
comment on column customer_months.net_sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
