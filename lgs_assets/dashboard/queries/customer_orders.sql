-- One customer's invoices, latest first.
select
    invoice_no, max(last_invoice_at) as at, bool_or(is_cancellation) as is_cancellation, sum(lines) as lines,
    sum(amount) as amount, sum(second_copy_lines) > 0 as is_doubled
from invoice_totals
where customer_id = :customer_id
group by invoice_no
order by at desc, invoice_no desc
