-- Every customer at the snapshot, best segments first.
select
    matched.*, playbook.strategy, playbook.position
from matched
inner join segment_playbook as playbook using (segment)
order by playbook.position, monetary desc, customer_id
