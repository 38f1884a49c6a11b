insert into margins values ('product', '22041', '2011-03-01', 1, 1, 0, 0, 0, 0, null)
