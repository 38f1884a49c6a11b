insert into forecasts values ('total', 'All sales', 'month', 3, '2011-07-01', 1, '2011-07-01', 'a method', 1, 1, 1, 1, 1, null)
