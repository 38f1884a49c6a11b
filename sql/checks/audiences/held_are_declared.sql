-- Every audience by which a destination holds somebody has a file: where it is gone, a plan takes everybody off the list.
-- warning
select destination_members.destination, destination_members.audience, count(*) as customers
from destination_members
left join audiences on destination_members.audience = audiences.audience
where audiences.audience is null
group by destination_members.destination, destination_members.audience
