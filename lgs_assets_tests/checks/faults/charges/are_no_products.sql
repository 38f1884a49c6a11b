insert into charges select code, 1, 0, 0, 0 from products
