-- derived: rebuilt at will from other tables
create table monthly_metrics (
    invoice_month date primary key check (extract(day from invoice_month) = 1),
    total_orders bigint not null check (total_orders > 0),
    canceled_orders bigint not null check (canceled_orders between 0 and total_orders),
    placed_orders bigint not null,
    doubled_orders bigint not null check (doubled_orders between 0 and total_orders),
    sales numeric not null,
    sales_once numeric not null check (doubled_orders > 0 or sales_once = sales),
    sales_growth_pct numeric,
    last_invoice_at timestamp not null,
    is_partial boolean not null,
    check (placed_orders = total_orders - 2 * canceled_orders)
);

comment on table monthly_metrics is 'Orders and sales of each month, over all lines that count. One row per month.';
comment on column monthly_metrics.invoice_month is 'First day of the month.';
comment on column monthly_metrics.total_orders is 'Distinct invoices, cancellations included.';
comment on column monthly_metrics.canceled_orders is 'Distinct invoices that start with C.';
comment on column monthly_metrics.placed_orders is 'total_orders − 2 × canceled_orders: a cancellation is a second invoice for one original.';
comment on column monthly_metrics.doubled_orders is 'Distinct invoices that sales counts twice, as their dump holds them twice in full.';
comment on column monthly_metrics.sales is 'Sum of line_total in pounds sterling, cancellations and refunds included.';
comment on column monthly_metrics.sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column monthly_metrics.sales_growth_pct is 'Change of sales on the month before, in percent. NULL for the first month, and after a month that is missing, is partial or has no sales above zero.';
comment on column monthly_metrics.last_invoice_at is 'Latest invoice_date in the month.';
comment on column monthly_metrics.is_partial is 'The data begins or ends within this month, and more than one day is missing on which the shop usually has invoices: not comparable with whole months. Usual days are the weekdays with invoices on at least half as many days as the busiest weekday; 1 and 2 January, and 25 to 31 December, only if the shop has had invoices on one of them. One missing day may be a public holiday. Less than two weeks of data shows no rhythm: all of it is partial.';
