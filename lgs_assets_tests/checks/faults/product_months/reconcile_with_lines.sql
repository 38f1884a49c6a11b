update product_months set units_returned = units_returned + 1
