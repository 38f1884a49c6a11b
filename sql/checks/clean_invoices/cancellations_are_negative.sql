-- A cancellation takes back units: its quantity is negative.
-- warning
select invoice_no, stock_code, quantity, unit_price, dump, line_number
from clean_invoices
where is_cancellation and quantity >= 0
