-- Prices are in pounds, as all figures are: nothing is converted. Each dump whose prices are in another currency.
-- warning
select dump, split_part(facts ->> 'numbers', ', in ', 2) as currency
from dumps
where facts ->> 'numbers' like '%, in %'
order by dump
