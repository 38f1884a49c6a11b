-- Every member is a customer with facts, of an audience in its present version.
-- blocking
select audience_members.audience, audience_members.customer_id
from audience_members
left join audience_facts on audience_members.customer_id = audience_facts.customer_id
left join audiences
    on audience_members.audience = audiences.audience
    and audience_members.version = audiences.version
where audience_facts.customer_id is null or audiences.audience is null
