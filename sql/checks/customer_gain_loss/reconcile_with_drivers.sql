-- The gains and losses from customers and guests are the change of net sales that sales_drivers splits, to the penny;
-- and every comparison in it is here.
-- error
select
    coalesce(moved.invoice_month, sales_drivers.invoice_month) as invoice_month,
    coalesce(moved.comparison, sales_drivers.comparison) as comparison,
    moved.change,
    sales_drivers.change as change_of_drivers
from (
    select invoice_month, comparison, sum(change) as change
    from customer_gain_loss
    group by invoice_month, comparison
) as moved
full join sales_drivers
    on moved.invoice_month = sales_drivers.invoice_month and moved.comparison = sales_drivers.comparison
where moved.change is distinct from sales_drivers.change
