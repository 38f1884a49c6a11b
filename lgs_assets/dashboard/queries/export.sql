-- Every customer at the snapshot, best segments first.
select
    matched.*, monetary as sales_before_returns, playbook.strategy, playbook.position, do_not_contact.reason as do_not_contact
from matched
inner join segment_playbook as playbook using (segment)
left join do_not_contact
    on do_not_contact.customer_id = matched.customer_id
order by playbook.position, monetary desc, matched.customer_id
