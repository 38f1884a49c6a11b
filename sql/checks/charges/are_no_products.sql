-- No code is both a product and a charge.
-- error
select code
from charges
where code in (select code from products)
