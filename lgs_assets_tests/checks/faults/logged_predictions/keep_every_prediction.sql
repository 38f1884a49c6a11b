insert into slipping values (101, '2011-07-01', 'a model', 'Champions', 1, 1, 2, 1, 0.5, 1)
