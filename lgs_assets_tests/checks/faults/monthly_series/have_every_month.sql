delete from monthly_series where series = 'sales' and invoice_month = '2011-04-01'
