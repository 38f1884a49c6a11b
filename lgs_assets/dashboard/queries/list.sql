-- A page of the customers whom the filters pick, with the number and the sales of all of them.
select
    matched.*, monetary as sales_before_returns, do_not_contact.reason as do_not_contact,
    count(*) over () as all_customers, sum(monetary) over () as all_monetary,
    sum(monetary_once) over () as all_monetary_once
from matched
left join do_not_contact
    on do_not_contact.customer_id = matched.customer_id
order by {order}, matched.customer_id
limit cast(:limit as bigint) offset :offset
