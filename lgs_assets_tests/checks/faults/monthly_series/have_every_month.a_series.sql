delete from monthly_series where series = 'sales'
