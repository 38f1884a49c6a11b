-- derived: rebuilt at will from other tables
create table invoice_totals (
    invoice_no text collate "C" not null,
    part integer not null check (part > 0),
    dump text collate "C" not null,
    invoice_month date not null check (invoice_month = date_trunc('month', invoice_day)),
    invoice_day date not null,
    customer_id integer,
    country text collate "C" not null,
    is_cancellation boolean not null,
    lines bigint not null check (lines > 0),
    amount numeric not null,
    last_invoice_at timestamp not null check (invoice_day = date_trunc('day', last_invoice_at)),
    sale_lines bigint not null check (sale_lines between 0 and lines),
    sale_amount numeric not null check (sale_amount >= 0),
    first_sale_at timestamp check (first_sale_at >= invoice_day),
    last_sale_at timestamp check (last_sale_at between first_sale_at and last_invoice_at),
    sale_units_once bigint not null check (sale_units_once >= 0),
    second_copy_lines bigint not null check (second_copy_lines between 0 and lines),
    second_copy_amount numeric not null check (second_copy_lines > 0 or second_copy_amount = 0),
    second_copy_sale_amount numeric not null check (second_copy_sale_amount between 0 and sale_amount),
    primary key (invoice_no, part),
    check ((sale_lines = 0) = (first_sale_at is null)),
    check ((sale_lines = 0) = (last_sale_at is null)),
    check ((sale_lines = 0) = (sale_amount = 0)),
    check (sale_lines = 0 or customer_id is not null)
);

create index on invoice_totals (customer_id);

comment on table invoice_totals is 'Totals of the lines of an invoice. One row for each day, customer and country of an invoice, so usually one row per invoice. Tables that count invoices, days, months, customers and countries read it instead of all lines.';
comment on column invoice_totals.invoice_no is 'Invoice number.';
comment on column invoice_totals.part is 'Number of the row among those of the invoice, from 1.';
comment on column invoice_totals.dump is 'The dump that the invoice came from.';
comment on column invoice_totals.invoice_month is 'First day of the month of these lines.';
comment on column invoice_totals.invoice_day is 'Day of these lines.';
comment on column invoice_totals.customer_id is 'Customer of these lines. NULL on guest sales and adjustments.';
comment on column invoice_totals.country is 'Country of these lines.';
comment on column invoice_totals.is_cancellation is 'The invoice number starts with C.';
comment on column invoice_totals.lines is 'Lines that count.';
comment on column invoice_totals.amount is 'Sum of line_total in pounds sterling.';
comment on column invoice_totals.last_invoice_at is 'Latest invoice_date of the lines.';
comment on column invoice_totals.sale_lines is 'Lines that are sales: is_sale of clean_invoices.';
comment on column invoice_totals.sale_amount is 'Sum of line_total of the sales in pounds sterling.';
comment on column invoice_totals.first_sale_at is 'Earliest invoice_date of the sales. NULL if there are none.';
comment on column invoice_totals.last_sale_at is 'Latest invoice_date of the sales. NULL if there are none.';
comment on column invoice_totals.sale_units_once is 'Units of the sales, each doubled invoice counted once.';
comment on column invoice_totals.second_copy_lines is 'Lines that are second copies: is_second_copy of clean_invoices.';
comment on column invoice_totals.second_copy_amount is 'Sum of line_total of the second copies in pounds sterling: amount minus this counts a doubled invoice once.';
comment on column invoice_totals.second_copy_sale_amount is 'The same of the second copies that are sales: sale_amount minus this counts them once.';
