update clean_invoices set is_repeat = true, is_second_copy = true where line_number = 5
