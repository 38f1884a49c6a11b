with active as (
    select distinct customer_id, invoice_month
    from invoice_totals
    where customer_id is not null
),

first_months as (
    select customer_id, min(invoice_month) as first_month
    from active
    group by customer_id
)

select
    invoice_month,
    count(*) as active_users,
    count(case when invoice_month = first_month then 1 end) as new_users,
    count(case when invoice_month > first_month then 1 end) as existing_users
from active
inner join first_months on active.customer_id = first_months.customer_id
group by invoice_month
