-- Every pair is in as many baskets as the setting asks for.
-- error
select code, other_code, baskets
from product_pairs
where baskets < :pair_support
