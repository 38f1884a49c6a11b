-- A page of the customers whom the filters pick, with the number and the sales of all of them. Who is on it is found first,
-- so that all else is joined to these alone.
select listed.*, totals.*, do_not_contact.reason as do_not_contact
from (
    select customer_id
    from listed
    order by {order}, customer_id
    limit cast(:limit as bigint) offset :offset
) as page
inner join listed
    using (customer_id)
cross join (
    select
        cast(sum(customers) as bigint) as all_customers, sum(monetary) as all_monetary, sum(monetary_once) as all_monetary_once
    from counted
) as totals
left join do_not_contact
    using (customer_id)
order by {order}, listed.customer_id
