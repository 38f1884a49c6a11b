delete from clean_invoices where line_number = 5
