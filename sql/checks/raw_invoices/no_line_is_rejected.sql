-- Every line of every dump is an invoice line. Those that are not are kept in rejected_lines with the reason.
-- warning
select *
from rejected_lines
order by dump, line_number
