-- derived: rebuilt at will from other tables
create table segment_products (
    segment text collate "C" not null,
    invoice_month date not null,
    code text collate "C" not null,
    lines bigint not null check (lines > 0),
    units bigint not null check (units > 0),
    sales numeric not null check (sales > 0),
    units_once bigint not null check (units_once between 0 and units),
    sales_once numeric not null check (sales_once between 0 and sales),
    primary key (segment, invoice_month, code)
);

comment on table segment_products is 'What the customers of each segment bought, month by month. Segments are the current ones, at the snapshot date, for every month. One row per segment, month and product.';
comment on column segment_products.segment is 'The customers'' current segment.';
comment on column segment_products.invoice_month is 'First day of the month.';
comment on column segment_products.code is 'Code of the product.';
comment on column segment_products.lines is 'Lines that are sales: is_sale of clean_invoices.';
comment on column segment_products.units is 'Units sold.';
comment on column segment_products.sales is 'Sum of line_total of the sales in pounds sterling.';
comment on column segment_products.units_once is 'units, each doubled invoice counted once: the figure to compare with other months.';
comment on column segment_products.sales_once is 'sales, each doubled invoice counted once.';
