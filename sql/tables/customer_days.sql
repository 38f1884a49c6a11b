-- derived: rebuilt at will from other tables
create table customer_days (
    customer_id integer not null,
    day date not null,
    orders bigint not null check (orders >= 0),
    sales numeric not null check (sales >= 0),
    last_sale_at timestamp,
    net_revenue numeric not null,
    cancelled_orders bigint not null check (cancelled_orders >= 0),
    primary key (customer_id, day),
    check (orders = 0 or sales > 0),
    check ((sales = 0) = (last_sale_at is null))
);

comment on table customer_days is 'What each customer bought and cancelled, day by day: what models of their behaviour are fitted to. One row a customer and day with lines.';
comment on column customer_days.customer_id is 'Customer.';
comment on column customer_days.day is 'The day.';
comment on column customer_days.orders is 'Distinct invoices whose first sale is on the day.';
comment on column customer_days.sales is 'Sum of line_total of the sales in pounds sterling, exact: a day with some is a purchase day. The setting doubled_invoices decides on invoices that a dump holds twice, as in rfm_scores.';
comment on column customer_days.last_sale_at is 'Latest invoice_date of the sales. NULL if there are none.';
comment on column customer_days.net_revenue is 'Sum of line_total of all lines of the day in pounds sterling, exact.';
comment on column customer_days.cancelled_orders is 'Distinct invoices that start with C.';
