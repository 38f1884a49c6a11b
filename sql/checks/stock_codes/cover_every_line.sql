-- Every stock code of the lines is there, and no other. A line with a missing code would be in no product and no
-- charge.
-- blocking
select coalesce(lines.stock_code, stock_codes.stock_code) as stock_code, stock_codes.code
from (select distinct stock_code from clean_invoices) as lines
full join stock_codes on lines.stock_code = stock_codes.stock_code
where lines.stock_code is null or stock_codes.stock_code is null
