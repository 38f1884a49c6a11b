-- derived: rebuilt at will from other tables
create table sales_drivers (
    invoice_month date not null,
    comparison text collate "C" not null check (comparison in ('month before', 'year before')),
    compared_month date not null check (compared_month < invoice_month),
    is_partial boolean not null,
    customers bigint not null check (customers >= 0),
    customers_before bigint not null check (customers_before >= 0),
    orders bigint not null check (orders >= 0),
    orders_before bigint not null check (orders_before >= 0),
    items bigint not null check (items >= 0),
    items_before bigint not null check (items_before >= 0),
    sales numeric not null check (sales >= 0),
    sales_before numeric not null check (sales_before >= 0),
    net_sales numeric not null,
    net_sales_before numeric not null,
    change numeric not null,
    customers_effect numeric not null,
    orders_effect numeric not null,
    items_effect numeric not null,
    price_effect numeric not null,
    guests_effect numeric not null,
    returns_effect numeric not null,
    primary key (invoice_month, comparison),
    check (change = net_sales - net_sales_before),
    check (
        change = customers_effect + orders_effect + items_effect + price_effect + guests_effect + returns_effect
    )
);

comment on table sales_drivers is 'What drove the change of net sales on the month before and on the same month of the year before, each doubled invoice counted once. Sales to customers = customers × orders per customer × items per order × price per item, split by the logarithmic mean (LMDI); guests and returns are separate parts. The parts add up to the change exactly. One row per month and comparison, where the other month has lines.';
comment on column sales_drivers.invoice_month is 'First day of the month.';
comment on column sales_drivers.comparison is 'month before or year before.';
comment on column sales_drivers.compared_month is 'First day of the month that it is compared with.';
comment on column sales_drivers.is_partial is 'One of the two months is partial, see monthly_metrics: much of the change is due to that.';
comment on column sales_drivers.customers is 'Customers with a sale in the month: is_sale of clean_invoices.';
comment on column sales_drivers.customers_before is 'The same in the other month.';
comment on column sales_drivers.orders is 'Invoices with a sale.';
comment on column sales_drivers.orders_before is 'The same in the other month.';
comment on column sales_drivers.items is 'Units sold.';
comment on column sales_drivers.items_before is 'The same in the other month.';
comment on column sales_drivers.sales is 'Sales to customers in pounds sterling.';
comment on column sales_drivers.sales_before is 'The same in the other month.';
comment on column sales_drivers.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column sales_drivers.net_sales_before is 'The same in the other month.';
comment on column sales_drivers.change is 'net_sales − net_sales_before in pounds sterling, the sum of the six effects.';
comment on column sales_drivers.customers_effect is 'The part due to more or fewer customers, in pounds sterling. The whole change of sales if one of the months has none.';
comment on column sales_drivers.orders_effect is 'The part due to more or fewer orders per customer.';
comment on column sales_drivers.items_effect is 'The part due to more or fewer items per order.';
comment on column sales_drivers.price_effect is 'The part due to a higher or lower price per item, from changed prices or a changed mix of products.';
comment on column sales_drivers.guests_effect is 'Change of the lines without a customer, adjustments included.';
comment on column sales_drivers.returns_effect is 'Change of customers'' lines that are not sales: returns and other deductions.';
