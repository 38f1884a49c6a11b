-- Lines have a price above zero. Stock adjustments, gifts and bad debts have none or a negative one.
-- warning
select invoice_no, stock_code, description, quantity, unit_price, dump, line_number
from clean_invoices
where unit_price <= 0
