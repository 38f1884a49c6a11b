-- derived: rebuilt at will from other tables
create table returnable_lines (
    invoice_no text collate "C" not null,
    line_number bigint not null,
    customer_id integer not null,
    code text collate "C" not null,
    invoice_date timestamp not null,
    place bigint not null check (place > 0),
    is_return boolean not null,
    units integer not null check (units > 0),
    unit_price numeric not null,
    price_rank bigint not null check (price_rank > 0),
    primary key (customer_id, code, place),
    unique (invoice_no, line_number)
);

comment on table returnable_lines is 'The sales and returns of every customer and code with a return: the input of return_matches. One row per line.';
comment on column returnable_lines.invoice_no is 'Invoice number.';
comment on column returnable_lines.line_number is 'Number of the line in its dump.';
comment on column returnable_lines.customer_id is 'Customer.';
comment on column returnable_lines.code is 'Code of the product or charge, as stock_codes has it.';
comment on column returnable_lines.invoice_date is 'When the invoice was made, in the retailer''s local time.';
comment on column returnable_lines.place is 'Order in time among the lines of the customer and code, from 1: at the same moment, sales before returns, then by invoice and line.';
comment on column returnable_lines.is_return is 'A line of a cancellation. All others are sales: is_sale of clean_invoices.';
comment on column returnable_lines.units is 'Units sold or returned.';
comment on column returnable_lines.unit_price is 'Price of one unit in pounds sterling.';
comment on column returnable_lines.price_rank is 'Rank of the unit price among those of the customer and code, from 1: equal ranks are equal prices.';
