-- One customer: what is known of them today. One row, or none.
select * from customer_profile where customer_id = :customer_id
