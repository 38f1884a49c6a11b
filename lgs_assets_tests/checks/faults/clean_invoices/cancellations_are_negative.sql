update clean_invoices set invoice_no = 'C1', is_cancellation = true, is_sold = false where line_number = 5
