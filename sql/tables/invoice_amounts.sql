-- derived: rebuilt at will from other tables
create table invoice_amounts (
    invoice_no text collate "C" primary key,
    amount numeric not null
);

comment on table invoice_amounts is 'The total of each invoice. One row per invoice.';
comment on column invoice_amounts.invoice_no is 'Invoice number.';
comment on column invoice_amounts.amount is 'Sum of line_total in pounds sterling.';
