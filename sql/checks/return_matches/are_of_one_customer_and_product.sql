-- A return takes back what the same customer bought before, under the same code.
-- error
select
    return_matches.invoice_no,
    return_matches.line_number,
    return_matches.sale_invoice_no,
    return_matches.sale_line_number,
    returned.customer_id,
    sale.customer_id as customer_of_sale,
    returned.code,
    sale.code as code_of_sale
from return_matches
left join returnable_lines as returned
    on return_matches.invoice_no = returned.invoice_no and return_matches.line_number = returned.line_number
left join returnable_lines as sale
    on return_matches.sale_invoice_no = sale.invoice_no and return_matches.sale_line_number = sale.line_number
where not coalesce(
    returned.is_return and not sale.is_return
    and returned.customer_id = sale.customer_id and returned.code = sale.code and returned.place > sale.place,
    false
)
