-- derived: rebuilt at will from other tables
create table product_months (
    code text collate "C" not null,
    invoice_month date not null,
    lines bigint not null check (lines > 0),
    net_sales numeric not null,
    net_sales_once numeric not null,
    units_sold bigint not null check (units_sold >= 0),
    sales numeric not null check (sales >= 0),
    units_sold_once bigint not null check (units_sold_once between 0 and units_sold),
    sales_once numeric not null check (sales_once between 0 and sales),
    return_lines bigint not null check (return_lines between 0 and lines),
    units_returned bigint not null check (units_returned >= 0),
    returned numeric not null,
    is_partial boolean not null,
    primary key (code, invoice_month)
);

comment on table product_months is 'What each product sold and what of it came back, month by month. One row per product and month with a line.';
comment on column product_months.code is 'Code of the product.';
comment on column product_months.invoice_month is 'First day of the month.';
comment on column product_months.lines is 'Lines that count.';
comment on column product_months.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column product_months.net_sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column product_months.units_sold is 'Units sold: no cancellations, quantity and line_total above zero, guests included.';
comment on column product_months.sales is 'Sum of line_total of the lines that sold them, in pounds sterling.';
comment on column product_months.units_sold_once is 'units_sold, each doubled invoice counted once.';
comment on column product_months.sales_once is 'sales, each doubled invoice counted once.';
comment on column product_months.return_lines is 'Lines of cancellations with a negative quantity.';
comment on column product_months.units_returned is 'Units on these lines.';
comment on column product_months.returned is 'Amount refunded for them in pounds sterling.';
comment on column product_months.is_partial is 'The month is partial, see monthly_metrics: not comparable with whole months.';
