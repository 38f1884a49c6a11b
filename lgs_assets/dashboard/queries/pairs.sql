-- Products that are bought together most above chance.
select
    pairs.code, one.description, other_code, other.description as other_description, baskets, confidence,
    confidence_back, lift, kulczynski
from product_pairs as pairs
left join products as one on one.code = pairs.code
left join products as other on other.code = pairs.other_code
order by kulczynski desc, pairs.code, other_code
limit 15
