-- derived: rebuilt at will from other tables
create table clean_invoices (
    dump text collate "C" not null,
    line_number bigint not null,
    invoice_no text collate "C" not null check (char_length(invoice_no) between 1 and 100),
    stock_code text collate "C" not null check (char_length(stock_code) between 1 and 100),
    description text collate "C" check (char_length(description) <= 500),
    quantity integer not null,
    invoice_date timestamp not null,
    invoice_month date not null,
    unit_price numeric not null,
    line_total numeric not null,
    customer_id integer,
    country text collate "C" not null check (char_length(country) between 1 and 100),
    is_cancellation boolean not null,
    is_sale boolean not null,
    is_sold boolean not null,
    is_repeat boolean not null,
    is_second_copy boolean not null,
    -- An invoice is from one dump. To begin with its number, by which the lines are made, spares much of the sorting.
    primary key (invoice_no, line_number),
    check (line_total = quantity * unit_price),
    check (invoice_month = date_trunc('month', invoice_date)),
    check (is_cancellation = (left(invoice_no, 1) = 'C')),
    check (
        is_sale = (quantity > 0 and line_total > 0 and customer_id is not null and description is not null)
    ),
    check (is_sold = (not is_cancellation and quantity > 0 and line_total > 0)),
    check (is_repeat or not is_second_copy)
);

create index on clean_invoices (customer_id);
create index on clean_invoices using brin (invoice_date, invoice_month, dump);

comment on table clean_invoices is 'Every line that counts, typed and classified: for each invoice, the lines of the newest dump that holds it. One row per line.';
comment on column clean_invoices.dump is 'The dump that the line came from.';
comment on column clean_invoices.line_number is 'Number of the line in the dump.';
comment on column clean_invoices.invoice_no is 'Invoice number.';
comment on column clean_invoices.stock_code is 'Code of the product or charge.';
comment on column clean_invoices.description is 'What was sold, with the blanks as written. NULL on stock adjustments.';
comment on column clean_invoices.quantity is 'Units. Negative on cancellations and stock adjustments.';
comment on column clean_invoices.invoice_date is 'When the invoice was made, in the retailer''s local time.';
comment on column clean_invoices.invoice_month is 'First day of the month of invoice_date.';
comment on column clean_invoices.unit_price is 'Price of one unit in pounds sterling.';
comment on column clean_invoices.line_total is 'quantity × unit_price, in pounds sterling, exact.';
comment on column clean_invoices.customer_id is 'Customer. NULL on guest sales and adjustments.';
comment on column clean_invoices.country is 'Country of the customer.';
comment on column clean_invoices.is_cancellation is 'The invoice number starts with C.';
comment on column clean_invoices.is_sale is 'Quantity and line_total are positive, customer and description are known: a line that the RFM scores count.';
comment on column clean_invoices.is_sold is 'Quantity and line_total are positive, and the invoice is not a cancellation: a line that the figures of products count, guests included.';
comment on column clean_invoices.is_repeat is 'The same in every column as an earlier line of its dump.';
comment on column clean_invoices.is_second_copy is 'The dump holds the invoice twice in full, each of its lines an even number of times, and this line is in the second half of its copies. The setting doubled_invoices decides whether such lines count.';
