delete from sales_drivers where invoice_month = '2011-04-01'
