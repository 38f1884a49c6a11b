update invoice_totals set sale_amount = sale_amount + 0.01 where invoice_no = '101-0'
