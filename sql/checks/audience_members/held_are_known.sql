-- Whomever we put on a list is a customer of the data; anybody else leaves the list by the next plan.
-- warning
select
    destination_members.destination,
    destination_members.audience,
    destination_members.customer_id,
    destination_members.plan
from destination_members
left join customer_profile on destination_members.customer_id = customer_profile.customer_id
where customer_profile.customer_id is null
