insert into customer_value values (101, 90, '2011-07-01', 'a model', 1, 0, 1, 2, 0, 1, 2, 1, 2, 1, 1)
