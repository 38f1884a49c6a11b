update countries set invoices = invoices - 1, sale_invoices = sale_invoices - 1
