create table raw_invoices_other partition of raw_invoices for values in ('other.sql');
insert into raw_invoices
select 'other.sql', line_number, invoice_no, stock_code, description, quantity + 1, invoice_date, unit_price, customer_id, country
from raw_invoices
where line_number = 5
