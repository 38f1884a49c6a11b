-- One customer: what is known of them today, and why a running experiment forbids to contact them, if it does. One row,
-- or none.
select profile.*, held_back.reason as do_not_contact
from customer_profile as profile
left join held_back
    on held_back.customer_id = profile.customer_id
where profile.customer_id = :customer_id
