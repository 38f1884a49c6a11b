-- The lines of one invoice.
select
    line_number, stock_code, description, quantity, unit_price, line_total, invoice_date, customer_id, country,
    is_cancellation, is_sale, is_second_copy
from clean_invoices
where invoice_no = :invoice_no
order by line_number
