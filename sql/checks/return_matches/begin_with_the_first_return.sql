-- The first return of a customer and product takes its units from an earlier sale, if there is one.
-- error
with firsts as (
    select customer_id, code, min(place) as place
    from returnable_lines
    where is_return
    group by customer_id, code
    having min(place) > 1
)

select line.invoice_no, line.line_number, line.customer_id, line.code, line.units
from firsts
inner join returnable_lines as line
    on firsts.customer_id = line.customer_id and firsts.code = line.code and firsts.place = line.place
left join return_matches on line.invoice_no = return_matches.invoice_no and line.line_number = return_matches.line_number
where return_matches.invoice_no is null
