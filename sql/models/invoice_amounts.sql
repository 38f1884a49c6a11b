select invoice_no, sum(amount) as amount
from invoice_totals
group by invoice_no
