-- A page of the customers whom the filters pick, with the number and the sales of all of them.
select matched.*, count(*) over () as all_customers, sum(monetary) over () as all_monetary
from matched
order by {order}, customer_id
limit cast(:limit as bigint) offset :offset
