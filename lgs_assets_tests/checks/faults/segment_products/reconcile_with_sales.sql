update segment_products set sales = sales + 0.01
