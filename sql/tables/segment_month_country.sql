-- derived: rebuilt at will from other tables
create table segment_month_country (
    segment text collate "C" not null,
    invoice_month date not null,
    country text collate "C" not null,
    customers bigint not null check (customers >= 0),
    orders bigint not null check (orders >= 0),
    sales numeric not null check (sales >= 0),
    sales_once numeric not null check (sales_once between 0 and sales),
    net_sales numeric not null,
    net_sales_once numeric not null,
    primary key (segment, invoice_month, country)
);

comment on table segment_month_country is 'Sales of each segment by month and country, guests included. Segments are the current ones, at the snapshot date, for every month. One row per segment, month and country with a line.';
comment on column segment_month_country.segment is 'The customers'' current segment; (guests) without a customer, (no sale yet) for customers without a segment.';
comment on column segment_month_country.invoice_month is 'First day of the month.';
comment on column segment_month_country.country is 'Country of the line.';
comment on column segment_month_country.customers is 'Distinct customers with a sale: is_sale of clean_invoices.';
comment on column segment_month_country.orders is 'Distinct invoices with a sale.';
comment on column segment_month_country.sales is 'Sum of line_total of the sales in pounds sterling.';
comment on column segment_month_country.sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column segment_month_country.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column segment_month_country.net_sales_once is 'The same, each doubled invoice counted once.';
