-- One customer's invoices, latest first.
select
    invoice_no, max(last_invoice_at) as at, bool_or(is_cancellation) as is_cancellation, sum(lines) as lines,
    sum(amount) as amount, sum(second_copy_lines) > 0 as is_doubled,
    sum(second_copy_amount) as twice, sum(second_copy_sale_amount) as sales_twice
from invoice_totals
where customer_id = :customer_id
group by invoice_no
order by at desc, invoice_no desc
