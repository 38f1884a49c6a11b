-- No audience has fewer or more members than its file allows.
-- error
select audiences.audience, count(audience_members.customer_id) as members, audiences.at_least, audiences.at_most
from audiences
left join audience_members on audiences.audience = audience_members.audience
group by audiences.audience, audiences.at_least, audiences.at_most
having
    count(audience_members.customer_id) < audiences.at_least
    or count(audience_members.customer_id) > audiences.at_most
