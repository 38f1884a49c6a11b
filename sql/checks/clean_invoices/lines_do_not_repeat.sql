-- No line repeats an earlier one of its dump in every column. The setting drop_repeats leaves such lines out.
-- warning
select invoice_no, stock_code, description, quantity, unit_price, dump, line_number
from clean_invoices
where is_repeat
