-- Every customer with a segment has facts, nobody else has, and segment and money are those of the segment's table.
-- blocking
select
    coalesce(audience_facts.customer_id, segments.customer_id) as customer_id,
    audience_facts.segment,
    segments.segment as segment_of_customer,
    audience_facts.monetary,
    segments.monetary as monetary_of_customer
from audience_facts
full join segments on audience_facts.customer_id = segments.customer_id
where
    audience_facts.segment is distinct from segments.segment
    or audience_facts.monetary is distinct from segments.monetary
    or audience_facts.net_revenue is distinct from segments.net_revenue
