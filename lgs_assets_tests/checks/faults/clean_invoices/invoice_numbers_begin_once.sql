update raw_invoices set invoice_no = '101-0', stock_code = 'other', invoice_date = '2012-01-01', customer_id = 999
where line_number = (select max(line_number) from raw_invoices)
