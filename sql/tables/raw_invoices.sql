-- kept: what the dumps hold, loaded once
create table raw_invoices (
    dump text not null,
    line_number bigint not null,
    -- An index takes no key of more than 2,700 bytes, which are 675 characters at worst.
    invoice_no text not null check (char_length(invoice_no) between 1 and 100),
    stock_code text not null check (char_length(stock_code) between 1 and 100),
    description text check (char_length(description) <= 500),
    quantity integer not null,
    invoice_date timestamp not null check (invoice_date >= '1990-01-01' and isfinite(invoice_date)),
    -- abs() of NaN and of the infinities is not below any number, so the limit refuses them too.
    unit_price numeric not null check (abs(unit_price) < 100000000 and scale(unit_price) <= 6),
    -- Some dumps write 13085.0, which no integer type reads.
    customer_id numeric check (customer_id between 1 and 2147483647 and customer_id = trunc(customer_id)),
    country text not null check (char_length(country) between 1 and 100),
    primary key (dump, line_number)
) partition by list (dump);

comment on table raw_invoices is 'Every line of every accepted dump, as it came. One partition per dump, one row per line.';
comment on column raw_invoices.dump is 'The dump that the line came from.';
comment on column raw_invoices.line_number is 'Number of the line in the dump, from 1. In workbooks and Parquet, that of the row; if one line of a script holds several rows, each takes the next free number.';
comment on column raw_invoices.invoice_no is 'Invoice number in its one spelling: trimmed, without decimals. A leading C marks a cancellation, a leading A a bad-debt adjustment.';
comment on column raw_invoices.stock_code is 'Code of the product or charge.';
comment on column raw_invoices.description is 'What was sold, with the blanks as written. NULL on stock adjustments.';
comment on column raw_invoices.quantity is 'Units. Negative on cancellations and stock adjustments.';
comment on column raw_invoices.invoice_date is 'When the invoice was made, in the retailer''s local time.';
comment on column raw_invoices.unit_price is 'Price of one unit in pounds sterling, exactly as written.';
comment on column raw_invoices.customer_id is 'Customer, a whole number. NULL on guest sales and adjustments.';
comment on column raw_invoices.country is 'Country of the customer, trimmed.';
