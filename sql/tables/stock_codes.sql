-- derived: rebuilt at will from other tables
create table stock_codes (
    stock_code text collate "C" primary key,
    code text collate "C" not null,
    is_product boolean not null,
    description text collate "C"
);

comment on table stock_codes is 'The product or charge behind each stock code: products are five digits and letters, whatever their case and the blanks around them. One row per stock code as written.';
comment on column stock_codes.stock_code is 'Stock code as the lines have it.';
comment on column stock_codes.code is 'The same, trimmed and in capitals: the code of the product or charge.';
comment on column stock_codes.is_product is 'Five digits, then nothing but letters. Everything else is a charge: postage, fees, samples, adjustments and the like.';
comment on column stock_codes.description is 'The most frequent description of the code on sales, trimmed; of a code that was never sold, on all lines; ties in their order. NULL if no line has one.';
