update monthly_metrics set sales = sales + 0.01, sales_once = sales_once + 0.01 where invoice_month = '2011-03-01'
