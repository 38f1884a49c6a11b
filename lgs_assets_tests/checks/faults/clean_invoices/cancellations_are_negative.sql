update clean_invoices set invoice_no = 'C1', is_cancellation = true where line_number = 5
