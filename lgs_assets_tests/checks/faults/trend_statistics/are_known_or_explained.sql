delete from trend_statistics where series = 'sales' and method = 'log'
