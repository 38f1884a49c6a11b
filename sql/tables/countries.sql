-- derived: rebuilt at will from other tables
create table countries (
    country text collate "C" primary key,
    lines bigint not null check (lines > 0),
    invoices bigint not null check (invoices between 1 and lines),
    customers bigint not null check (customers between 0 and lines),
    net_sales numeric not null,
    sale_customers bigint not null check (sale_customers between 0 and customers),
    new_customers bigint not null check (new_customers between 0 and sale_customers),
    sales numeric not null check (sales >= 0),
    sale_invoices bigint not null check (sale_invoices between 0 and invoices),
    returned numeric not null,
    net_sales_share numeric,
    sales_per_invoice numeric,
    top_customer_share numeric check (top_customer_share between 0 and 1)
);

comment on table countries is 'Sales and customers of each country. A country may be one customer: top_customer_share says so. A customer with lines of two countries counts in both, with what each of them came to. One row per country.';
comment on column countries.country is 'Country of the line.';
comment on column countries.lines is 'Lines that count.';
comment on column countries.invoices is 'Distinct invoices.';
comment on column countries.customers is 'Distinct customers with a line of any kind; guests do not count.';
comment on column countries.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column countries.sale_customers is 'Distinct customers with a sale: is_sale of clean_invoices. The buyers, as country_months counts customers.';
comment on column countries.new_customers is 'Those of them who bought here in the month of their first sale ever, as country_months counts them; the others first bought in another country.';
comment on column countries.sales is 'Sum of line_total of the sales in pounds sterling: to known customers, so without guests.';
comment on column countries.sale_invoices is 'Distinct invoices with a sale.';
comment on column countries.returned is 'Amount deducted by cancellations in pounds sterling.';
comment on column countries.net_sales_share is 'Share of the net sales of all countries, to 6 places. NULL if these add up to nothing.';
comment on column countries.sales_per_invoice is 'sales ÷ sale_invoices, to 6 places. NULL without sales.';
comment on column countries.top_customer_share is 'The largest customer''s share of the sales, from 0 to 1, to 6 places. NULL without sales.';
