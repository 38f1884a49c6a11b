-- One customer: what is known of them today, and why a running experiment forbids to contact them, if it does. One row,
-- or none.
select profile.*, do_not_contact.reason as do_not_contact
from customer_profile as profile
left join do_not_contact
    on do_not_contact.customer_id = profile.customer_id
where profile.customer_id = :customer_id
