update clean_invoices set is_repeat = line_number = 5
