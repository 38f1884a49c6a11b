select invoice_no, sum(line_total) as amount
from clean_invoices
group by invoice_no
