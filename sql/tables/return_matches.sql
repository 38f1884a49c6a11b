-- derived: rebuilt at will from other tables
create table return_matches (
    invoice_no text collate "C" not null,
    line_number bigint not null,
    sale_invoice_no text collate "C" not null,
    sale_line_number bigint not null,
    units bigint not null check (units > 0),
    primary key (invoice_no, line_number, sale_invoice_no, sale_line_number)
);

comment on table return_matches is 'The sale that each returned unit came from, each unit once: of the customer''s earlier sales of the product, the newest at the same price of just that many units, none of them returned; else the newest at that price with enough units left; else those at that price, newest first. Where these together have too few, all sales, newest first, whatever their price. One row per return line and sale line.';
comment on column return_matches.invoice_no is 'Invoice number of the return.';
comment on column return_matches.line_number is 'Number of the return''s line in its dump.';
comment on column return_matches.sale_invoice_no is 'Invoice number of the sale.';
comment on column return_matches.sale_line_number is 'Number of the sale''s line in its dump.';
comment on column return_matches.units is 'Units of the sale that the return takes back.';
