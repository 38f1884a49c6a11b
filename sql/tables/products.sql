-- derived: rebuilt at will from other tables
create table products (
    code text collate "C" primary key,
    description text collate "C",
    lines bigint not null check (lines > 0),
    net_sales numeric not null,
    invoices bigint not null check (invoices between 0 and lines),
    customers bigint not null check (customers between 0 and lines),
    units_sold bigint not null check (units_sold >= 0),
    sales numeric not null check (sales >= 0),
    return_lines bigint not null check (return_lines between 0 and lines),
    units_returned bigint not null check (units_returned >= 0),
    returned numeric not null,
    units_returned_matched bigint not null check (units_returned_matched between 0 and units_returned),
    returned_matched numeric not null,
    return_rate_units numeric,
    return_rate_sales numeric,
    return_rate_sales_matched numeric,
    sales_rank bigint unique,
    sales_share numeric check (sales_share between 0 and 1),
    cumulative_share numeric check (cumulative_share between 0 and 1),
    abc_class text collate "C" check (abc_class in ('A', 'B', 'C')),
    check ((sales = 0) = (sales_rank is null)),
    check ((sales = 0) = (abc_class is null))
);

comment on table products is 'What each product sold and what of it came back. One row per product: a stock code of five digits and letters, trimmed and in capitals.';
comment on column products.code is 'Code of the product.';
comment on column products.description is 'Its most frequent description on sales, as stock_codes has it. NULL if no line has one.';
comment on column products.lines is 'Lines that count.';
comment on column products.net_sales is 'Sum of line_total of all lines in pounds sterling: sales, returns and adjustments.';
comment on column products.invoices is 'Distinct invoices that sold it: no cancellations, quantity and line_total above zero, guests included.';
comment on column products.customers is 'Distinct customers on these invoices; guests do not count.';
comment on column products.units_sold is 'Units sold.';
comment on column products.sales is 'Sum of line_total of the lines that sold it, in pounds sterling.';
comment on column products.return_lines is 'Lines of cancellations with a negative quantity.';
comment on column products.units_returned is 'Units on these lines.';
comment on column products.returned is 'Amount refunded for them in pounds sterling, at the price of the cancellation.';
comment on column products.units_returned_matched is 'Returned units whose sale is known: see returns.';
comment on column products.returned_matched is 'Amount refunded for these in pounds sterling.';
comment on column products.return_rate_units is 'units_returned ÷ units_sold, to 6 places. NULL if none was sold, as are the other rates.';
comment on column products.return_rate_sales is 'returned ÷ sales, to 6 places.';
comment on column products.return_rate_sales_matched is 'returned_matched ÷ sales, to 6 places.';
comment on column products.sales_rank is 'Rank by sales, best first; ties in the order of the codes. NULL if none was sold, as are the shares and the class.';
comment on column products.sales_share is 'Share of the sales of all products, from 0 to 1, to 6 places.';
comment on column products.cumulative_share is 'The same for this product and all above it.';
comment on column products.abc_class is 'A while the share of the products above it is below 80 %, B while it is below 95 %, then C.';
