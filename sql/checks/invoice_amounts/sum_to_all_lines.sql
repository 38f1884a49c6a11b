-- The amounts of the invoices add up to the lines that count, to the penny.
-- error
select *
from (
    select
        (select sum(amount) from invoice_amounts) as amount_of_invoices,
        (select sum(line_total) from clean_invoices) as amount_of_lines
) as totals
where amount_of_invoices is distinct from amount_of_lines
