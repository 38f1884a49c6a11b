update clean_invoices set unit_price = 0, line_total = 0, is_sale = false, is_sold = false where line_number = 5
