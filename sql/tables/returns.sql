-- derived: rebuilt at will from other tables
create table returns (
    invoice_no text collate "C" not null,
    line_number bigint not null,
    customer_id integer not null,
    code text collate "C" not null,
    is_product boolean not null,
    returned_at timestamp not null,
    units integer not null check (units > 0),
    amount numeric not null,
    match text collate "C" not null check (
        match in ('whole line', 'part of a line', 'several lines', 'another price', 'only a part', 'no sale')
    ),
    units_matched bigint not null check (units_matched between 0 and units),
    amount_matched numeric not null,
    sale_invoice_no text collate "C",
    sale_line_number bigint,
    sold_at timestamp check (sold_at <= returned_at),
    days_after integer check (days_after >= 0),
    unmatched_reason text collate "C" check (unmatched_reason in ('before the data', 'no such sale')),
    primary key (invoice_no, line_number),
    check ((units_matched = units) = (unmatched_reason is null)),
    check ((units_matched = 0) = (sold_at is null)),
    check ((units_matched = 0) = (match = 'no sale'))
);

comment on table returns is 'Every line that a customer returned, and the sale that it takes back, as return_matches has it. One row per line of a cancellation with a customer.';
comment on column returns.invoice_no is 'Invoice number of the return.';
comment on column returns.line_number is 'Number of the line in its dump.';
comment on column returns.customer_id is 'Customer.';
comment on column returns.code is 'Code of the product or charge, as stock_codes has it.';
comment on column returns.is_product is 'A product; otherwise a charge, such as postage or a discount.';
comment on column returns.returned_at is 'When the return was made, in the retailer''s local time.';
comment on column returns.units is 'Units returned.';
comment on column returns.amount is 'Amount refunded in pounds sterling: units at the return''s own price.';
comment on column returns.match is 'How the sale was found: whole line, part of a line or several lines, all at the same price; another price, of some or all units, where sales at the same price had too few left; only a part, if some units have no sale; no sale.';
comment on column returns.units_matched is 'Units for which a sale was found.';
comment on column returns.amount_matched is 'These units at the return''s own price, in pounds sterling.';
comment on column returns.sale_invoice_no is 'Invoice number of the newest sale that it takes from. NULL if none was found.';
comment on column returns.sale_line_number is 'Number of that sale''s line in its dump. NULL if none was found.';
comment on column returns.sold_at is 'When that sale was made. NULL if none was found.';
comment on column returns.days_after is 'Whole days from that sale to the return. NULL if none was found.';
comment on column returns.unmatched_reason is 'Why units have no sale: before the data, if the customer had bought nothing yet, or bought in the data''s first month and, in the data, never this product (not a charge) before, so most likely; otherwise no such sale. NULL if all have one.';
