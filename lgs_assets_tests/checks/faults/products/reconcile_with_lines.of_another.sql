-- What one product sold is counted for another: together they have all lines.
update products set code = '99999X' where code = (select min(code) from products)
