insert into product_pairs values ('22041', '99999', 1, 1, 1, 1, 1, 1, 1, 1, 1)
