-- derived: rebuilt at will from other tables
create table charges (
    code text collate "C" primary key,
    description text collate "C",
    lines bigint not null check (lines > 0),
    net_sales numeric not null,
    charged numeric not null check (charged >= 0),
    given_back numeric not null,
    check (net_sales = charged - given_back)
);

comment on table charges is 'Items on invoices other than products: postage, fees, discounts, samples, adjustments and the like. One row per code.';
comment on column charges.code is 'Code of the charge, trimmed and in capitals.';
comment on column charges.description is 'Its most frequent description, as stock_codes has it. NULL if no line has one.';
comment on column charges.lines is 'Lines that count.';
comment on column charges.net_sales is 'Sum of line_total of all lines in pounds sterling.';
comment on column charges.charged is 'Sum of line_total above zero, without cancellations, in pounds sterling.';
comment on column charges.given_back is 'Amount deducted by cancellations and negative amounts, in pounds sterling.';
