-- Every customer at the snapshot, best segments first.
select
    matched.*, playbook.strategy, playbook.position, held_back.reason as do_not_contact
from matched
inner join segment_playbook as playbook using (segment)
left join held_back
    on held_back.customer_id = matched.customer_id
order by playbook.position, monetary desc, matched.customer_id
