-- derived: rebuilt at will from other tables
create table margins (
    dimension text collate "C" not null check (dimension in ('product', 'country', 'segment', 'customer')),
    member text collate "C" not null,
    invoice_month date not null,
    units bigint not null check (units > 0),
    sales numeric not null check (sales > 0),
    known_sales numeric not null check (known_sales between 0 and sales),
    cost numeric not null check (cost >= 0),
    margin numeric not null,
    known_share numeric not null check (known_share between 0 and 1),
    margin_pct numeric,
    primary key (dimension, member, invoice_month),
    check (margin = known_sales - cost),
    check ((known_sales = 0) = (margin_pct is null))
);

comment on table margins is 'What products earn over their cost, by product, country, segment and customer, month by month: over the lines that sold them, before returns, each doubled invoice counted once. Empty until unit costs are imported. One row per dimension, member and month.';
comment on column margins.dimension is 'product, country, segment or customer: each adds up to the same sales.';
comment on column margins.member is 'The product''s code, the country, the customers'' current segment, or the customer; (guests) without a customer, (no sale yet) for customers without a segment.';
comment on column margins.invoice_month is 'First day of the month.';
comment on column margins.units is 'Units sold.';
comment on column margins.sales is 'Sum of line_total in pounds sterling.';
comment on column margins.known_sales is 'The same of the lines whose unit cost is known.';
comment on column margins.cost is 'Units × the unit cost valid on the day, over these lines, in pounds sterling.';
comment on column margins.margin is 'known_sales − cost.';
comment on column margins.known_share is 'known_sales ÷ sales, to 6 places: how much of sales the margin covers.';
comment on column margins.margin_pct is 'margin in percent of known_sales, to 6 places. NULL where no cost is known.';
