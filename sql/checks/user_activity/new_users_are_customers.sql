-- Every customer is new exactly once: the new users of all months are the distinct customers of all lines.
-- error
select *
from (
    select
        (select coalesce(sum(new_users), 0) from user_activity) as new_users,
        (
            select count(*)
            from (select distinct customer_id from clean_invoices where customer_id is not null) as known
        ) as customers
) as totals
where new_users <> customers
