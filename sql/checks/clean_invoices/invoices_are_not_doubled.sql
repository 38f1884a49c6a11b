-- No dump holds an invoice twice as a whole. Such invoices count twice, as published figures have them; the setting
-- doubled_invoices counts them once.
-- warning
select invoice_no, min(invoice_date) as invoice_date, count(*) as second_copies, sum(line_total) as amount, dump
from clean_invoices
where is_second_copy
group by invoice_no, dump
