-- Purchase days and sales of each moment are those strictly before it: no more, and no fewer.
-- blocking
with summed as (
    select as_of, sum(purchase_days) as purchase_days, sum(sales) as sales
    from customer_features
    group by as_of
)

select summed.as_of, summed.purchase_days, summed.sales, before.purchase_days as days_before, before.sales as sales_before
from summed
left join lateral (
    select count(*) as purchase_days, sum(sales) as sales
    from customer_days
    where day < summed.as_of and sales > 0
) as before on true
where summed.purchase_days is distinct from before.purchase_days or summed.sales is distinct from before.sales
