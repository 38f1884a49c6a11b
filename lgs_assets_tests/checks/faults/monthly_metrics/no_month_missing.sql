delete from monthly_metrics where invoice_month = '2011-04-01'
