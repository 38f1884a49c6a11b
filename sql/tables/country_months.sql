-- derived: rebuilt at will from other tables
create table country_months (
    country text collate "C" not null,
    invoice_month date not null,
    net_sales numeric not null,
    net_sales_once numeric not null,
    sales numeric not null check (sales >= 0),
    sales_once numeric not null check (sales_once between 0 and sales),
    orders bigint not null check (orders >= 0),
    customers bigint not null check (customers >= 0),
    new_customers bigint not null check (new_customers between 0 and customers),
    is_partial boolean not null,
    primary key (country, invoice_month)
);

comment on table country_months is 'Sales, orders and customers of each country, month by month. One row per country and month with a line.';
comment on column country_months.country is 'Country of the line.';
comment on column country_months.invoice_month is 'First day of the month.';
comment on column country_months.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column country_months.net_sales_once is 'The same, each doubled invoice counted once: the figure to compare with other months.';
comment on column country_months.sales is 'Sum of line_total of the sales in pounds sterling: is_sale of clean_invoices.';
comment on column country_months.sales_once is 'The same, each doubled invoice counted once.';
comment on column country_months.orders is 'Distinct invoices with a sale.';
comment on column country_months.customers is 'Distinct customers with a sale: sale_customers of countries. One with sales in two countries counts in both.';
comment on column country_months.new_customers is 'Those of them whose first sale ever, in any country, is in this month.';
comment on column country_months.is_partial is 'The month is partial, see monthly_metrics: not comparable with whole months.';
