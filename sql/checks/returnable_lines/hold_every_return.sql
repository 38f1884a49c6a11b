-- Every cancelled line with a customer, and no other line, is there as a return, with its units and its price.
-- error
select
    coalesce(lines.invoice_no, returned.invoice_no) as invoice_no,
    coalesce(lines.line_number, returned.line_number) as line_number,
    lines.quantity,
    returned.units,
    lines.unit_price as price_of_line,
    returned.unit_price
from (
    select invoice_no, line_number, quantity, unit_price
    from clean_invoices
    where is_cancellation and quantity < 0 and customer_id is not null
) as lines
full join (select * from returnable_lines where is_return) as returned
    on lines.invoice_no = returned.invoice_no and lines.line_number = returned.line_number
where lines.quantity is distinct from -returned.units or lines.unit_price is distinct from returned.unit_price
