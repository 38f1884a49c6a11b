insert into product_pairs values ('22041', '99999', 99, 99, 99, 99, 1, 1, 1, 1, 1)
