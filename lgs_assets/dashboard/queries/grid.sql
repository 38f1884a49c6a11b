-- The R × F grid: customers and sales of each pair of scores.
select r_score, f_score, cast(sum(customers) as bigint) as customers, sum(monetary) as monetary
from counted
group by r_score, f_score
