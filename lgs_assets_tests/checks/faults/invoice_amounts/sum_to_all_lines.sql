update invoice_amounts set amount = amount + 0.001 where invoice_no = '101-0'
