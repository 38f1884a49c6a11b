-- A page of the members of an audience whom the filters pick, with the number and the sales of all of them.
select
    matched.*, matched.monetary as sales_before_returns, do_not_contact.reason as do_not_contact, facts.value,
    facts.risk_band, array_position(array['low', 'medium', 'high'], facts.risk_band) as risk_band_order,
    facts.expected_next_day, count(*) over () as all_customers, sum(matched.monetary) over () as all_monetary,
    sum(matched.monetary_once) over () as all_monetary_once
from matched
inner join audience_members as members
    on members.customer_id = matched.customer_id and members.audience = :audience
inner join audience_facts as facts on facts.customer_id = matched.customer_id
left join do_not_contact
    on do_not_contact.customer_id = matched.customer_id
order by {order}, matched.customer_id
limit cast(:limit as bigint) offset :offset
