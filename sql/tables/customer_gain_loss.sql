-- derived: rebuilt at will from other tables
create table customer_gain_loss (
    invoice_month date not null,
    comparison text collate "C" not null check (comparison in ('month before', 'year before')),
    movement text collate "C" not null check (movement in ('new', 'back', 'grown', 'level', 'shrunk', 'lost', 'guests')),
    compared_month date not null check (compared_month < invoice_month),
    is_partial boolean not null,
    customers bigint not null check (customers >= 0),
    net_sales numeric not null,
    net_sales_before numeric not null,
    change numeric not null,
    primary key (invoice_month, comparison, movement),
    check (change = net_sales - net_sales_before),
    check ((movement = 'guests') = (customers = 0))
);

comment on table customer_gain_loss is 'Whose purchases changed net sales on the month before and on the same month of the year before, each doubled invoice counted once. One row per month, comparison and movement that occurs.';
comment on column customer_gain_loss.invoice_month is 'First day of the month.';
comment on column customer_gain_loss.comparison is 'month before or year before.';
comment on column customer_gain_loss.movement is 'Customers with a line in the month are new, if their first line ever is after the other month; back, if they have an earlier one, but none in the other month; or grown, level or shrunk, by their net sales in both. lost: lines in the other month only. guests: no customer. A line of any kind counts, a refund alone, too: customer_flow is of buyers.';
comment on column customer_gain_loss.compared_month is 'First day of the month that it is compared with.';
comment on column customer_gain_loss.is_partial is 'One of the two months is partial, see monthly_metrics: much of the change is due to that.';
comment on column customer_gain_loss.customers is 'Distinct customers; guests do not count.';
comment on column customer_gain_loss.net_sales is 'Sum of line_total of all their lines in the month, in pounds sterling.';
comment on column customer_gain_loss.net_sales_before is 'The same in the other month.';
comment on column customer_gain_loss.change is 'net_sales − net_sales_before.';
