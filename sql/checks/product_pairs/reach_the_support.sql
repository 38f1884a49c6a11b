-- Every pair is in at least as many baskets as the setting demands.
-- error
select code, other_code, baskets
from product_pairs
where baskets < :pair_support
