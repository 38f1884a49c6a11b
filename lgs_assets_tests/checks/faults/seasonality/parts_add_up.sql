insert into seasonality values ('sales', '2011-03-01', 10, 5, 4, 2)
