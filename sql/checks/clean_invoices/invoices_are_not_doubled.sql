-- No dump holds an invoice twice in full. Such invoices count twice, as in the published figures; the setting
-- doubled_invoices counts them once.
-- warning
select invoice_no, min(invoice_date) as invoice_date, count(*) as second_copies, sum(line_total) as amount, dump
from clean_invoices
where is_second_copy
group by invoice_no, dump
