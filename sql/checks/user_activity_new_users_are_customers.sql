-- Every customer is new exactly once: the new users of all months are the distinct customers of all lines.
select *
from (
    select
        (select coalesce(sum(new_users), 0) from user_activity) as new_users,
        (select count(distinct customer_id) from clean_invoices) as customers
) as totals
where new_users <> customers
