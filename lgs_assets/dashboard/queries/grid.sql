-- The R × F grid: customers and sales of each pair of scores.
select r_score, f_score, count(*) as customers, sum(monetary) as monetary
from matched
group by r_score, f_score
