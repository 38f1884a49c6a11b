update products set returned = returned + 0.01
