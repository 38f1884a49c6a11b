insert into product_movers values ('22041', '2011-03-01', '2011-05-01', 1, 0, 0.01, 0, 0.01, null, 'new', 1)
