-- No more units of a sale are returned than it sold, and no return takes back more than it returns.
-- error
select line.invoice_no, line.line_number, line.is_return, line.units, taken.units as units_matched
from (
    select invoice_no, line_number, sum(units) as units
    from return_matches
    group by invoice_no, line_number
    union all
    select sale_invoice_no, sale_line_number, sum(units)
    from return_matches
    group by sale_invoice_no, sale_line_number
) as taken
inner join returnable_lines as line on taken.invoice_no = line.invoice_no and taken.line_number = line.line_number
where taken.units > line.units
