insert into forecasts values ('product', '22001', 'week', 4, '2011-07-04', 1, '2011-07-01', 'a method', 5, 5, 5, 5, 5, null, 5, 1, 2)
