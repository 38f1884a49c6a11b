-- Texts have a length, and dates a beginning. Lines that were loaded before are not judged again: the code that reads
-- dumps has changed, so the next run loads them anew.
do $$
declare
    partition regclass;
    rule text;
begin
    foreach rule in array array[
        'raw_invoices_invoice_no_check', 'raw_invoices_stock_code_check', 'raw_invoices_invoice_date_check'
    ] loop
        execute format('alter table lgs.raw_invoices drop constraint %I', rule);
        -- A partition has its own copy of each rule, from when it was made.
        for partition in select inhrelid::regclass from pg_inherits where inhparent = 'lgs.raw_invoices'::regclass loop
            execute format('alter table %s drop constraint if exists %I', partition, rule);
        end loop;
    end loop;
end
$$;

alter table lgs.raw_invoices
    add constraint raw_invoices_invoice_no_check check (char_length(invoice_no) between 1 and 100) not valid,
    add constraint raw_invoices_stock_code_check check (char_length(stock_code) between 1 and 100) not valid,
    add constraint raw_invoices_description_check check (char_length(description) <= 500) not valid,
    add constraint raw_invoices_invoice_date_check
        check (invoice_date >= '1990-01-01' and isfinite(invoice_date)) not valid,
    add constraint raw_invoices_country_check check (char_length(country) between 1 and 100) not valid;

comment on column lgs.raw_invoices.invoice_no is 'Invoice number in its one spelling: trimmed, without decimals. A leading C marks a cancellation, a leading A a bad-debt adjustment.';
comment on column lgs.raw_invoices.country is 'Country of the customer, trimmed.';
